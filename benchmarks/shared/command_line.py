"""Command line of a benchmark: a full run writes its rows, a smoke run checks them."""

import argparse
import sys

from benchmarks.shared.results import write_timings


def parser_with_smoke(doc):
    """Return a parser described by the first line of a docstring, with ``--smoke``."""
    parser = argparse.ArgumentParser(description=doc.splitlines()[0])
    parser.add_argument("--smoke", action="store_true", help="small, writes nothing")
    return parser


def run_benchmark(name, doc, measure, failures_of, *, write=write_timings):
    """Measure and write the rows; with ``--smoke``, check them and write nothing.

    Parameters
    ----------
    name : str
        Of ``results/NAME.csv``.
    doc : str
        Docstring of the script.
    measure : callable
        ``measure(smoke)`` prints a summary and returns the rows.
    failures_of : callable
        ``failures_of(rows)`` returns a message for each bound that they break;
        a smoke run ends with these messages.
    write : callable
        ``write(name, rows)``.
    """
    smoke = parser_with_smoke(doc).parse_args().smoke
    rows = measure(smoke)
    if smoke:
        exit_if(failures_of(rows))
    else:
        write(name, rows)


def exit_if(failures):
    """End the program with the messages, if there are any."""
    if failures:
        sys.exit("\n".join(failures))
