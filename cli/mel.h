/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_CLI_MEL_H
#define WHET_CLI_MEL_H

/* The front end of models of sound, --mel: windows into rows of log-mel energies or cepstra, by the same code as the
 * stages `window` and `mel` of pipelines. */

#include "base/base.h"
#include "edge/pipe/mel.h"
#include "whet/media.h"

typedef struct cli_mel {
  pipe_mel_opts o;      /* rate and length are settled with the sound's rate */
  double window, hop;   /* seconds, or samples: */
  bool window_n, hop_n; /* ... these are samples */
  double scale;
} cli_mel;

/* The help of --mel. */
#define CLI_MEL_HELP                                                                                               \
  "sound becomes rows of log-mel energies first: window=25ms,hop=10ms,bands=40,kind=librosa (torchaudio, kaldi), " \
  "and "                                                                                                           \
  "cepstra=N, fft=N, lo=HZ, hi=HZ, lifter=N, scale=X; what is left out is as shown"

/* "bands=40,hop=10ms"; one line is printed on failure; exit status. */
WHET_MUST int cli_mel_parse(const char *text, cli_mel *out);
/* Width of a row. */
int64_t cli_mel_width(const cli_mel *m);
/* Samples that so many rows are made of, at that rate. */
int64_t cli_mel_samples(const cli_mel *m, int32_t rate, int64_t rows);
/* One channel of sound into rows: `frames` of them, of `channels` numbers. user: a cli_mel. */
whet_status cli_mel_run(void *user, whet_sound *s, whet_err *err);
/* hear of a whet_set_opts: the same, once the sound has so many samples (0: as it is). */
whet_status cli_mel_hear(void *user, whet_sound *s, int64_t samples, whet_err *err);
/* Cut a sound of one channel, or let silence follow it, so that it has `frames` samples. */
WHET_MUST whet_status cli_sound_fit(whet_sound *s, int64_t frames, whet_err *err);

#endif
