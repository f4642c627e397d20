"""Learn from Parquet files on a Dask cluster that runs already.

    python examples/dask_scheduler.py tcp://scheduler:8786 FOLDER MODEL

FOLDER is one that all workers see, such as s3://bucket/judged or a network drive, with
Parquet files that have the columns prompt, opinion and metrics. The ranker is written
to MODEL, a file of skops, from which ``pscore score MODEL TABLE`` scores other tables.

Workers need this package in the version that runs here, and the same torch. They reach
each other on ports that the system chooses.
"""

import sys

import dask.dataframe as dd
import skops.io
from dask.distributed import Client

from sklearn_pscore import PairwisePreferenceRanker


def main(address, folder, model):
    """Learn on the cluster, and write the ranker."""
    with Client(address) as client:
        table = dd.read_parquet(folder).shuffle(on="prompt")
        # Once on the workers, the rows are not read again.
        table = table.persist()
        ranker = PairwisePreferenceRanker(random_state=0, verbose=1)
        ranker.fit_dask(
            table, group="prompt", preference="opinion", client=client, timeout=300
        )
    skops.io.dump(ranker, model)
    print(f"{ranker.n_groups_} prompts, {ranker.n_pairs_} pairs: written to {model}")


if __name__ == "__main__":
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    main(*sys.argv[1:])
