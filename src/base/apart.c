/* SPDX-License-Identifier: Apache-2.0 */
/* Finds and loads the library of kernels beside libwhet.so. It is looked for there and nowhere else: neither the
 * search path nor the current folder of the process can bring another one in. */

#include "base/apart.h"

#ifdef WHET_APART_FILE

#include <dlfcn.h>
#include <fcntl.h>
#include <limits.h>
#include <link.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { UNTRIED, THERE, NOT_FOUND, NOT_WHOLE, NOT_LOADED, FOREIGN };

static const char k_lack[][72] = {
    [NOT_FOUND] = WHET_APART_FILE " is not found beside libwhet.so",
    [NOT_WHOLE] = WHET_APART_FILE " is no whole library",
    [NOT_LOADED] = WHET_APART_FILE " cannot be loaded",
    [FOREIGN] = WHET_APART_FILE " is of another build than libwhet.so",
};

static atomic_int k_state = UNTRIED;
static _Atomic(const void *) k_families; /* set before k_state says THERE */

/* Room for the name of a folder that the loader has put together of two, and of the file in it. */
enum { ROOM = 2 * PATH_MAX + sizeof WHET_APART_FILE };

/* The folder that the loader found a relative name in, which the process may have left since. Only glibc tells. */
#ifdef __GLIBC__
static bool folder_of_relative(char out[ROOM]) {
  Dl_info self;
  void *map;
  return dladdr1(&k_state, &self, &map, RTLD_DL_LINKMAP) && !dlinfo(map, RTLD_DI_ORIGIN, out);
}
#else
static bool folder_of_relative(char out[ROOM]) { return false; }
#endif

/* The path of the library: in the folder of the file that this code was loaded from, past symbolic links. */
static bool find(char out[ROOM]) {
  Dl_info self;
  if (!dladdr(&k_state, &self) || !self.dli_fname) return false;
  if (self.dli_fname[0] != '/') {
    if (!folder_of_relative(out)) return false;
  } else {
    if (!realpath(self.dli_fname, out)) return false;
    *strrchr(out, '/') = 0;
  }
  strcat(out, "/" WHET_APART_FILE);
  return true;
}

/* Whether all bytes that the loader would map are in the file: it does not look, and a file that was cut short would
 * end the process at the first touch. */
static bool whole(int fd) {
  struct stat st;
  ElfW(Ehdr) h;
  ElfW(Phdr) p;
  if (fstat(fd, &st) || pread(fd, &h, sizeof h, 0) != sizeof h || memcmp(h.e_ident, ELFMAG, SELFMAG)) return false;
  uint64_t size = (uint64_t)st.st_size;
  for (unsigned i = 0; i < h.e_phnum; i++) {
    if (pread(fd, &p, sizeof p, (off_t)(h.e_phoff + i * sizeof p)) != sizeof p) return false;
    if (p.p_type == PT_LOAD && (p.p_offset > size || p.p_filesz > size - p.p_offset)) return false;
  }
  return true;
}

/* Find, check and load; *families on success. */
static int load(const void **families) {
  char path[ROOM];
  int fd = find(path) ? open(path, O_RDONLY | O_CLOEXEC) : -1;
  if (fd < 0) return NOT_FOUND;
  bool all = whole(fd);
  close(fd);
  if (!all) return NOT_WHOLE;
  void *lib = dlopen(path, RTLD_NOW | RTLD_LOCAL);
  if (!lib) return NOT_LOADED;
  const void *(*door)(const char *build);
  *(void **)&door = dlsym(lib, "whet_avx512_families");
  *families = door ? door(WHET_BUILD_ID) : NULL;
  if (*families) return THERE;
  dlclose(lib);
  return FOREIGN;
}

/* No lock is held while the loader works, which has one of its own: threads that come here together all load, which
 * the loader counts, and the first to be done settles it. */
bool whet__apart_load(void) {
  int state = atomic_load(&k_state);
  if (state == UNTRIED) {
    const void *families = NULL;
    int found = load(&families);
    if (found == THERE) atomic_store(&k_families, families);
    if (atomic_compare_exchange_strong(&k_state, &state, found)) state = found;
  }
  return state == THERE;
}

const void *whet__apart_families(void) { return atomic_load(&k_state) == THERE ? atomic_load(&k_families) : NULL; }

const char *whet__apart_lack(void) { return k_lack[atomic_load(&k_state)]; }

#else

bool whet__apart_load(void) { return true; }
const void *whet__apart_families(void) { return NULL; }
const char *whet__apart_lack(void) { return ""; }

#endif
