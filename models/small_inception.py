"""Four small Inception nets for gray pictures of 28x28: `python small_inception.py nets/googlenet-bn.toml OUT`.

Eight modules in three sizes, 54,228 parameters, 54,820 with batch norm: with it and without, each with an auxiliary classifier after the
fourth module and without. The blocks are those of `nets/googlenet-bn.toml`.
"""

import pathlib
import sys

source, out = pathlib.Path(sys.argv[1]).read_text(), pathlib.Path(sys.argv[2])
out.mkdir(parents=True, exist_ok=True)
blocks = source[source.index("# Convolution, batch norm") : source.index('[[block]]\nname = "auxiliary"')]
blocks = blocks.replace("# A classifier on the way, so that the gradient reaches the lower half.\n", "")
NORM = '[[block.layer]]\nuse = "batch-norm"\nname = "bn"\neps = 0.001\n\n'
POOL = '[[layer]]\nuse = "max-pool"\nkernel = 3\nstride = 2\nceil-mode = true\n\n'
HEAD = '[[head]]\nlayer = "aux.fc"\nweight = 0.3\n\n'
AUXILIARY = ('[[layer]]\nuse = "global-avg-pool"\nname = "aux.pool"\n\n'
             '[[layer]]\nuse = "linear"\nname = "aux.fc"\nout = 10\n\n')


def module(name, k, more=""):
    sizes = {"c1": 2 * k, "r3": 3 * k, "c3": 4 * k, "r5": k, "c5": k, "pool": k}
    lines = "".join(f"{key} = {value}\n" for key, value in sizes.items())
    return f'[[layer]]\nuse = "inception"\nname = "{name}"\n{lines}{more}\n'


for norm in (False, True):
    for aux in (False, True):
        name = "inception" + "-bn" * norm + "-aux" * aux
        text = f'version = 1\nname = "{name}"\ninput = [1, 28, 28]\nmean = [0.2860]\nstd = [0.3530]\n\n'
        text += blocks if norm else blocks.replace("bias = false\n", "").replace(NORM, "")
        text += HEAD * aux + '[[layer]]\nuse = "conv"\nname = "stem"\nout = 16\nkernel = 3\npadding = 1\n\n'
        text += module("a", 3) + module("b", 4) + POOL + module("c", 5) + module("d", 6) + AUXILIARY * aux
        text += module("e", 6, 'in = "d"\n' * aux) + module("f", 6) + POOL + module("g", 8) + module("h", 10)
        text += '[[layer]]\nuse = "global-avg-pool"\n\n[[layer]]\nuse = "linear"\nname = "fc"\nout = 10\n'
        (out / f"{name}.toml").write_text(text)
