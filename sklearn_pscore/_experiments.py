"""The experiments of the paper: rankers, data, and the rows they are judged on."""

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from sklearn.inspection import permutation_importance
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler, StandardScaler
from sklearn.tree import DecisionTreeClassifier
from tqdm.auto import tqdm

from sklearn_pscore._items.augmenter import PairAugmenter
from sklearn_pscore._rankers.handcrafted import RankSumRanker, TopCountRanker
from sklearn_pscore._rankers.level_classifier import LevelClassifierRanker
from sklearn_pscore._rankers.pairwise import PairwisePreferenceRanker
from sklearn_pscore._target.groups import Groups
from sklearn_pscore.datasets import fetch_thqa, make_head_challenge
from sklearn_pscore.datasets._head_challenge import UNWEIGHTED_CORRELATION
from sklearn_pscore.metrics import dcg_scorer
from sklearn_pscore.model_selection import PreferenceGroupKFold, compare_rankers
from sklearn_pscore.model_selection._seeds import seeded_clone

N_LEVELS = 4
"""Levels that DT and CB learn where the preference is continuous. Not measured."""

N_TREES = 300
"""Trees of CatBoost; the paper does not say how many. Not measured."""

N_FOLDS = 5
"""Folds that are held out where no rows to judge on are given."""

DEFAULTS = "PS, defaults"
"""Name of the ranker with this package's defaults, beside the paper's PS."""

PAPER_RANKER = {
    "hidden_layer_sizes": (64, 32),
    "batch_norm": True,
    "shortcut": None,
    "output_activation": "relu6",
    "dropout": 0.0,
    "input_dropout": 0.0,
    "input_clip": None,
    "group_weight": "pairs",
    "n_members": 1,
    "weight_decay": 0.01,
    "learning_rate": "constant",
    "max_epochs": 100,
    "batch_size": 200,
    "early_stopping": True,
    "validation_fraction": 0.2,
}
"""Parameters of the network of section 4.2, with the split of section 5.1."""

PAPER_AUGMENTER = {
    "stitch_sizes": (2, 3, 4),
    "max_stitched": 500,
    "stitch_penalty": 1.0,
    "stitched_preference": "max",
    "n_injected": 10,
    "injected_penalty": 100.0,
}
"""Parameters of the synthetic items of section 4.3."""


@dataclass(frozen=True)
class Experiment:
    """Rows to learn from and rows to judge on.

    Attributes
    ----------
    title : str
        Title of the tables and pictures.
    X : DataFrame of shape (n_samples, n_features)
    groups : structured ndarray of shape (n_samples,)
        Target to learn from.
    directions : dict of str to str
        By name of the metric, for the rankers that learn nothing.
    test : tuple (X, groups) or None
        Rows to judge on; None holds out folds.
    reference : structured ndarray of shape (n_samples,) or None
        Target to judge held-out folds by, if not `groups`.
    cv_groups : ndarray of shape (n_samples,) or None
        Labels to hold out by; None takes the blocks or groups of `groups`.
    augment : bool
        Whether PS learns from stitched and injected items too.
    protocol : str
        A sentence that says all this, for the command line.
    """

    title: str
    X: pd.DataFrame
    groups: np.ndarray
    directions: dict
    test: tuple | None = None
    reference: np.ndarray | None = None
    cv_groups: np.ndarray | None = None
    augment: bool = False
    protocol: str = ""

    def rankers(self):
        """Return the methods of Table 2 by the paper's names, and our defaults."""
        return {
            "#Top1": TopCountRanker(directions=self.directions),
            "RS": RankSumRanker(directions=self.directions),
            "DT": LevelClassifierRanker(
                DecisionTreeClassifier(random_state=0), n_levels=N_LEVELS
            ),
            "CB": LevelClassifierRanker(_catboost(), n_levels=N_LEVELS),
            "PS": preference_score(augment=self.augment),
            DEFAULTS: make_pipeline(
                StandardScaler(), PairwisePreferenceRanker(random_state=0)
            ),
        }

    def splits(self):
        """Return (X_train, groups_train, X_test, groups_test) of each fold."""
        if self.test is not None:
            return [(self.X, self.groups, *self.test)]
        reference = self.groups if self.reference is None else self.reference
        folds = PreferenceGroupKFold(N_FOLDS).split(self.X, self.groups, self.cv_groups)
        return [
            (self.X.iloc[train], self.groups[train], self.X.iloc[test], reference[test])
            for train, test in folds
        ]

    def compare(self, *, n_runs, rankers=None, scoring=None, random_state=0, verbose=0):
        """Compare rankers, by default those above, over `n_runs` seeds."""
        if self.test is not None:
            judged_on = {"test": self.test}
        else:
            judged_on = {
                "cv": N_FOLDS,
                "cv_groups": self.cv_groups,
                "reference": self.reference,
            }
        return compare_rankers(
            self.rankers() if rankers is None else rankers,
            self.X,
            self.groups,
            scoring=scoring,
            n_seeds=n_runs,
            random_state=random_state,
            verbose=verbose,
            **judged_on,
        )

    def importances(self, *, seeds, n_repeats=5, random_state=0, verbose=0):
        """Return the permutation importance in DCG of every feature, section 5.3.

        PS is fitted for each seed and fold, as in a comparison with these seeds,
        and each feature of the held-out rows is shuffled `n_repeats` times.

        Returns
        -------
        drops : ndarray of shape (n_features, n_seeds * n_folds * n_repeats)
            DCG lost by shuffling.
        baseline : float
            Mean DCG with nothing shuffled.
        """
        rng = np.random.RandomState(random_state)
        splits = self.splits()
        drops, baselines = [], []
        with tqdm(
            total=len(seeds) * len(splits),
            desc="permutation importance",
            disable=None if verbose else True,
        ) as progress:
            for seed in seeds:
                for X, groups, X_test, groups_test in splits:
                    model = seeded_clone(preference_score(augment=self.augment), seed)
                    model.fit(X, groups)
                    baselines.append(dcg_scorer(model, X_test, groups_test))
                    drops.append(
                        permutation_importance(
                            model,
                            X_test,
                            groups_test,
                            scoring=dcg_scorer,
                            n_repeats=n_repeats,
                            random_state=rng,
                        ).importances
                    )
                    progress.update()
        return np.concatenate(drops, axis=1), float(np.mean(baselines))


def preference_score(*, augment):
    """Return PS as in section 5.1 of the paper: two scalings and its network."""
    scaling = [MinMaxScaler(), StandardScaler()]
    augmenter = []
    if augment:
        augmenter.append(PairAugmenter(**PAPER_AUGMENTER, random_state=0))
    ranker = PairwisePreferenceRanker(**PAPER_RANKER, random_state=0)
    return make_pipeline(*scaling, *augmenter, ranker)


def thqa_experiment(*, data_home=None, labels="full"):
    """Return THQA, held out by portrait and judged by full opinions.

    Parameters
    ----------
    data_home : path or None, default=None
        See :func:`~sklearn_pscore.datasets.fetch_thqa`.
    labels : {"full", "winners"}, default="full"
        Whether to learn from opinion scores or from each group's best item.
    """
    bunch = fetch_thqa(data_home=data_home)
    n_groups = len(np.unique(bunch.groups["group"]))
    judged = f"{n_groups} groups, judged on {N_FOLDS} folds by portrait."
    experiment = Experiment(
        title="THQA",
        X=bunch.data,
        groups=bunch.groups,
        directions=bunch.directions,
        protocol=f"Learnt from full opinions of {judged}",
    )
    if labels == "full":
        return experiment
    opinions = pd.Series(bunch.groups["preference"])
    best = opinions.groupby(bunch.groups["group"]).transform("max")
    winners = Groups.from_winners(
        group=bunch.groups["group"],
        winner=opinions == best,
        item=bunch.groups["item"],
        block=bunch.groups["block"],
    )
    return replace(
        experiment,
        title="THQA, winners only",
        groups=winners,
        reference=bunch.groups,
        protocol=f"Learnt from the winners of {judged}",
    )


def challenge_experiment(
    track, *, n_train=20, n_test=20, weights="planted", random_state=0
):
    """Return a synthetic challenge: learn from awards, judge by the human order.

    Parameters
    ----------
    track : {"talking", "listening"}
    n_train, n_test : int, default=20
        Challenges to learn from and to judge on.
    weights : {"planted", "equal"}, default="planted"
        See :func:`~sklearn_pscore.datasets.make_head_challenge`.
    random_state : int, default=0
    """
    bunch = make_head_challenge(
        track,
        n_challenges=n_train + n_test,
        weights=weights,
        random_state=random_state,
    )
    number = pd.Series(bunch.groups["group"]).str.rsplit("-", n=1).str[1].astype(int)
    train = (number < n_train).to_numpy()
    # Donors are not ranked, so they are not among the rows to judge.
    test = ~train & ~bunch.groups["donor"]
    misleading = (
        ", the metrics that people do not follow misleading "
        f"({UNWEIGHTED_CORRELATION:g})"
    )
    return Experiment(
        title=f"synthetic challenge, {track}",
        X=bunch.data[train],
        groups=bunch.groups[train],
        directions=bunch.directions,
        test=(bunch.data[test], bunch.groups_full[test]),
        augment=True,
        protocol=(
            f"Made up with known truth{misleading if weights == 'planted' else ''}: "
            f"learnt from the awards of {n_train} challenges, judged by the human "
            f"order of {n_test} others."
        ),
    )


def _catboost():
    from catboost import CatBoostClassifier

    return CatBoostClassifier(
        iterations=N_TREES,
        random_seed=0,
        verbose=False,
        allow_writing_files=False,
    )
