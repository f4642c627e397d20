"""What the package is measured by: one script per question, run from the root.

- ``agreement/``: who agrees best with people, and what each default is worth.
- ``speed/``: time and memory, beside other libraries.
- ``paper/``: the paper's protocol on data with a known truth and on THQA.
- ``shared/``: results, tables of the pages in ``docs/``, and the command line.
- ``results/``: the raw rows of every script.

    python -m benchmarks.speed.epoch [--smoke]
"""
