/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_EDGE_PIPE_MEL_H
#define WHET_EDGE_PIPE_MEL_H

/* One window of sound into log-mel energies or cepstral coefficients (MFCC).
 *
 *   x -> offset and pre-emphasis -> window -> zeros up to n_fft -> |FFT|^power -> triangles on the mel scale -> log -> DCT-II
 *
 * Three front ends by name differ in all of it:
 *
 *   LIBROSA     librosa.feature.melspectrogram: periodic Hann, power, Slaney's scale and areas, 10 log10(max(e, 1e-10))
 *   TORCHAUDIO  torchaudio.transforms.MelSpectrogram: periodic Hann, power, HTK's scale, no areas, 10 log10(max(e, 1e-10))
 *   KALDI       compute-fbank-feats: mean taken off, pre-emphasis 0.97, Povey's window, power of two, HTK's scale with
 *               triangles straight on the mel axis, ln(max(e, 2^-23)); samples count as they come (Kaldi's are 16-bit numbers)
 *
 * A stage belongs to one thread at a time; nothing is allocated after create. */

#include "edge/edge.h"

typedef enum pipe_mel_kind { PIPE_MEL_LIBROSA, PIPE_MEL_TORCHAUDIO, PIPE_MEL_KALDI } pipe_mel_kind;

typedef struct pipe_mel_opts {
  pipe_mel_kind kind;
  double rate;    /* samples a second */
  size_t length;  /* samples of a window */
  size_t n_fft;   /* 0: length; KALDI: the next power of two */
  size_t bands;   /* 1..1024 */
  double lo, hi;  /* Hz; hi 0: half the rate */
  size_t cepstra; /* coefficients instead of bands; 0: none; at most bands */
  double lifter;  /* KALDI: 22; 0: none */
} pipe_mel_opts;

typedef struct pipe_mel pipe_mel;

/* E_DATA: sizes or frequencies that make no sense. */
EDGE_MUST whet_status pipe_mel_create(const pipe_mel_opts *o, pipe_mel **out, whet_err *err);
/* Frees it and sets *m to NULL; NULL is accepted. */
void pipe_mel_close(pipe_mel **m);
/* in: `length` samples; out: cepstra, or bands where there are none. */
void pipe_mel_run(pipe_mel *m, const float *in, float *out);

#endif
