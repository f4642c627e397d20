"""Learn from Parquet files on a Dask cluster of this machine, and score them.

    python examples/dask_local_cluster.py [FOLDER]

FOLDER has Parquet files with the columns prompt, opinion and metrics. Without it, some
are made up, and removed at the end. What is printed is how often the score orders two
items of a prompt as people do; the scored files are in a folder beside, as many as there
were.
"""

import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import dask.dataframe as dd
import numpy as np
import pandas as pd
from dask.distributed import Client, LocalCluster

from sklearn_pscore import Groups, PairwisePreferenceRanker

TARGET = {"group": "prompt", "preference": "opinion"}


def make_files(folder, n_files=4, n_prompts=100, n_items=6):
    """Write files of made-up metrics and opinions, each of prompts of its own."""
    rng = np.random.default_rng(0)
    for number in range(n_files):
        X = rng.normal(size=(n_prompts * n_items, 3))
        table = pd.DataFrame(X, columns=["sharpness", "noise", "sync"])
        table["prompt"] = np.repeat(np.arange(n_prompts), n_items) + number * n_prompts
        liking = X[:, 0] - np.abs(X[:, 1]) + 0.5 * rng.normal(size=len(X))
        table["opinion"] = np.round(liking, 1)
        table.to_parquet(folder / f"part.{number}.parquet")


def learn_and_score(client, folder, scored_folder):
    """Learn from all files on the workers, and write each with a column of scores."""
    table = dd.read_parquet(folder)
    # Brings the rows of each prompt to one partition. Leave it out where they are.
    together = table.shuffle(on="prompt")
    ranker = PairwisePreferenceRanker(max_epochs=10, random_state=0)
    ranker.fit_dask(together, **TARGET, client=client)
    metrics = ranker.feature_names_in_
    scored = table.map_partitions(
        lambda part: part.assign(score=ranker.predict(part[metrics]))
    )
    scored.to_parquet(scored_folder, write_index=False)
    return ranker


def report(ranker, folder):
    """Print how often the score orders two items of a prompt as people do."""
    table = pd.read_parquet(folder)
    groups = Groups.from_frame(table, **TARGET)
    accuracy = ranker.score(table[ranker.feature_names_in_], groups)
    print(f"{ranker.n_groups_} prompts, {ranker.n_pairs_} pairs: {accuracy:.3f}")


def main(folder):
    """Start a cluster, and do it all; return the folder of the scored files."""
    scored_folder = folder.with_name(f"{folder.name}-scored")
    workers = LocalCluster(n_workers=2, threads_per_worker=1)
    with workers as cluster, Client(cluster) as client:
        ranker = learn_and_score(client, folder, scored_folder)
    report(ranker, folder)
    return scored_folder


# Workers are processes, which read this file, too: only the first may start them.
if __name__ == "__main__":
    if sys.argv[1:]:
        print(f"Scores are in {main(Path(sys.argv[1]))}")
    else:
        with TemporaryDirectory() as temporary:
            files = Path(temporary, "judged")
            files.mkdir()
            make_files(files)
            main(files)
