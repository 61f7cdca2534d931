"""Fine-tuning IS-Net: data readers, synthesis, self-distillation, the loop. An optional extra (`train`).

The story, file by file: mix.py reads one TOML file; layouts.py finds the pairs of published data sets and check.py
looks at every file; draw.py turns (seed, number) into one training scene, whatever it is made of, scene.py and ahead.py
paint it; learner.py makes a step, loop.py makes a run of them; evaluate.py measures and judge.py keeps the best;
export.py writes the 8-bit weights and their card. The small networks' training is beside it: refiner_*.py and
strokes_*.py have a bank, a loop on small_loop.py, and an export each. The core imports nothing from here.
"""
