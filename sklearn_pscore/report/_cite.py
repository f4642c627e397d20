"""How to cite the paper and this package, as BibTeX."""

from sklearn_pscore._version import __version__

PAPER = """\
@inproceedings{zhou2023learning,
  title     = {Learning and Evaluating Human Preferences for Conversational Head
               Generation},
  author    = {Zhou, Mohan and Bai, Yalong and Zhang, Wei and Yao, Ting and
               Zhao, Tiejun and Mei, Tao},
  booktitle = {Proceedings of the 31st ACM International Conference on Multimedia},
  year      = {2023},
  doi       = {10.1145/3581783.3612831},
  eprint    = {2307.10636},
  eprinttype = {arxiv}
}"""

PACKAGE = f"""\
@software{{sklearn_pscore,
  title   = {{sklearn_pscore}},
  author  = {{{{The sklearn_pscore developers}}}},
  version = {{{__version__}}},
  license = {{BSD-3-Clause}}
}}"""
