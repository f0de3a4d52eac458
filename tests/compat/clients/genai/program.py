# SPDX-License-Identifier: Apache-2.0
"""Texts of onnxruntime-genai, greedy, by beams and by chance, from the model of models.py: program.py FOLDER."""
import sys

import numpy as np
import onnxruntime_genai as og


def write(model, prompts, **search):
    params = og.GeneratorParams(model)
    params.set_search_options(batch_size=len(prompts), **search)
    generator = og.Generator(model, params)
    generator.append_tokens(np.array(prompts, np.int32))
    steps = 0
    while not generator.is_done() and steps < 40:
        if search.get("num_beams", 1) == 1:
            print("logits", " ".join(f"{v:.5f}" for v in np.asarray(generator.get_logits()).ravel()[:8]))
        generator.generate_next_token()
        steps += 1
    for i in range(len(prompts)):
        print(search, i, list(map(int, generator.get_sequence(i))))
    return generator


def main():
    model = og.Model(sys.argv[1])
    print(model.type, model.device_type)
    for prompt in ([5, 9, 17], [1], list(range(3, 23))):
        write(model, [prompt], max_length=32)
    write(model, [[5, 9, 17], [1, 40, 33]], max_length=24)
    write(model, [[5, 9, 17]], max_length=24, num_beams=3, num_return_sequences=1)
    write(model, [[7, 8]], max_length=24, do_sample=True, top_k=5, temperature=0.7, random_seed=11)
    g = write(model, [[5, 9, 17]], max_length=20)
    for name in ("logits", "present.0.key"):
        try:
            v = np.asarray(g.get_output(name))
            print(name, v.dtype, v.shape, " ".join(f"{x:.5f}" for x in v.ravel()[:12]))
        except Exception as e:
            print(name, type(e).__name__, e)
    g.rewind_to(3)
    print("rewound", list(map(int, g.get_sequence(0))))
    while not g.is_done():
        g.generate_next_token()
    print("again", list(map(int, g.get_sequence(0))))


main()
