"""PairAugmenter: X unchanged, items attached, a warning where they are lost."""

import gc
import io
import pickle
import re
import warnings
from concurrent.futures import ThreadPoolExecutor
from copy import deepcopy

import joblib
import numpy as np
import pandas as pd
import polars as pl
import pytest
from cases import n_pairs_of
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import BaseEstimator, RegressorMixin, TransformerMixin, clone
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_pscore._items.attached import attach_items, take_attached_items
from sklearn_pscore._items.augmenter import PairAugmenter
from sklearn_pscore._rankers.handcrafted import RankSumRanker, TopCountRanker
from sklearn_pscore._rankers.level_classifier import LevelClassifierRanker
from sklearn_pscore._rankers.pairwise import PairwisePreferenceRanker
from sklearn_pscore._target.groups import Groups

X = np.random.default_rng(0).normal(size=(8, 2))
GROUPS = Groups.from_arrays(
    group=[0, 0, 0, 0, 1, 1, 1, 1], preference=[4, 1, 3, 2, 2, 7, 0, 5]
)
# In each group 6 pairs, 4 triples and 1 quadruple, and the 4 items of the other.
N_SYNTHETIC = 2 * (6 + 4 + 1 + 4)
PANDAS = pd.DataFrame(
    {"SSIM": X[:, 0].astype("float32"), "rank": np.arange(8)}, index=list("abcdefgh")
)
POLARS = pl.DataFrame({"SSIM": X[:, 0].astype("float32"), "rank": np.arange(8)})
CONTAINERS = pytest.mark.parametrize(
    "data", [X, PANDAS, POLARS], ids=["array", "pandas", "polars"]
)


def full_augmenter(**parameters):
    """Stitches and injects, whatever the target has."""
    return PairAugmenter((2, 3, 4), n_injected=10, **parameters)


def augmented(data, groups=GROUPS):
    return full_augmenter(random_state=0).fit_transform(data, groups)


def take(attached, groups=GROUPS):
    """Take the items as the ranker does, so that there is no warning."""
    items = take_attached_items(attached, groups)
    assert items is not None
    assert np.sum(~items.judged) == N_SYNTHETIC
    return items


def warnings_of(run):
    """The messages of all warnings, those given at the end of an object included."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        run()
        gc.collect()
    return [str(warning.message) for warning in caught]


def small_ranker():
    return PairwisePreferenceRanker((), max_epochs=1, random_state=0)


class LeastSquares(RegressorMixin, BaseEstimator):
    """A model that takes the target but knows nothing of attached items."""

    def fit(self, X, y):
        self.coef_ = np.linalg.lstsq(np.asarray(X), y["preference"])[0]
        return self

    def predict(self, X):
        return np.asarray(X) @ self.coef_


@pytest.mark.parametrize("data", [X.astype("f4"), (9 * X).astype(int), PANDAS, POLARS])
def test_the_same_container_names_types_and_values(data):
    attached = augmented(data)
    assert isinstance(attached, type(data))
    assert_array_equal(np.asarray(attached), np.asarray(data))
    if isinstance(data, np.ndarray):
        assert attached.dtype == data.dtype
    else:
        assert list(attached.columns) == list(data.columns)
        assert list(attached.dtypes) == list(data.dtypes)
    if data is PANDAS:
        assert attached.index.tolist() == list("abcdefgh")
    assert_allclose(take(attached).X[:8], data)


@CONTAINERS
def test_transform_returns_x_and_attaches_nothing(data):
    augmenter = PairAugmenter().fit(data, GROUPS)
    assert type(augmenter.transform(data)) is type(data)
    assert_array_equal(augmenter.transform(data), data)
    names = ["x0", "x1"] if data is X else ["SSIM", "rank"]
    assert augmenter.get_feature_names_out().tolist() == names


@pytest.mark.parametrize(("output", "kind"), [("pandas", pd), ("polars", pl)])
@CONTAINERS
def test_set_output(data, output, kind):
    augmenter = full_augmenter().set_output(transform=output)
    attached = augmenter.fit_transform(data, GROUPS)
    assert isinstance(attached, kind.DataFrame)
    assert list(attached.columns) == augmenter.get_feature_names_out().tolist()
    assert_array_equal(attached.to_numpy(), np.asarray(data))
    assert_allclose(take(attached).X[:8], data)
    assert isinstance(augmenter.transform(data), kind.DataFrame)


@CONTAINERS
@pytest.mark.parametrize("library", [pickle, joblib])
def test_pickling_keeps_the_items(data, library):
    attached, file = augmented(data), io.BytesIO()
    library.dump(attached, file)
    file.seek(0)
    again = library.load(file)
    assert type(again) is type(attached)
    assert_array_equal(np.asarray(again), np.asarray(data))
    expected, items = take(attached), take(again)
    for field in ("X", "group", "preference", "weight", "parents", "judged"):
        assert_array_equal(getattr(items, field), getattr(expected, field))


@CONTAINERS
@pytest.mark.parametrize("derive", [lambda X: X[:], lambda X: X[2:5], deepcopy])
def test_whatever_is_made_of_x_has_no_items(data, derive):
    attached = augmented(data)
    assert take_attached_items(derive(attached), GROUPS) is None
    take(attached)


@pytest.mark.parametrize("other", [GROUPS[:4], GROUPS[::-1], GROUPS["preference"]])
def test_items_made_for_another_target_are_left_alone(other):
    attached = augmented(X)
    with pytest.warns(UserWarning, match=f"X carries {N_SYNTHETIC} .* another target"):
        assert take_attached_items(attached, other) is None
    take(attached, GROUPS.copy())


@pytest.mark.parametrize("output", ["default", "pandas", "polars"])
@pytest.mark.parametrize(
    "last",
    [
        LevelClassifierRanker(),
        RankSumRanker(directions="larger"),
        TopCountRanker(directions="larger"),
    ],
)
def test_a_ranker_that_learns_from_no_items_says_so_when_it_is_fitted(last, output):
    pipe = make_pipeline(full_augmenter(), last).set_output(transform=output)
    name = type(last).__name__
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        pipe.fit(X, GROUPS)
        gc.collect()
    (warning,) = caught
    expected = (
        f"X carries {N_SYNTHETIC} synthetic items of PairAugmenter, which {name} "
    )
    assert str(warning.message).startswith(expected)
    assert warning.filename == __file__
    with pytest.raises(UserWarning, match=f"{name} does not learn from"):
        pipe.fit(X, GROUPS)


@pytest.mark.parametrize("last", [[StandardScaler(), small_ranker()], [LeastSquares()]])
@pytest.mark.parametrize("output", ["default", "pandas"])
def test_items_that_nobody_picks_up_warn(last, output):
    pipe = make_pipeline(full_augmenter(), *last).set_output(transform=output)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        pipe.fit(X, GROUPS)
    (warning,) = caught
    assert warning.filename == __file__
    message = str(warning.message)
    assert f"Nobody picked up the {N_SYNTHETIC} synthetic items" in message
    assert "Put the augmenter right before a PairwisePreferenceRanker" in message
    if hasattr(pipe[-1], "n_pairs_"):
        assert pipe[-1].n_pairs_ == 6 + 6


LOST = f"Nobody picked up the {N_SYNTHETIC} synthetic items"


@pytest.fixture
def shown(monkeypatch):
    """Warnings are errors: the messages of those that were shown all the same.

    An error that Python ignores, as at the end of an object, fails the test.
    """
    ignored = []
    monkeypatch.setattr("sys.unraisablehook", ignored.append)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("error")
        messages = _Messages(caught)
        yield messages
    gc.collect()
    assert ignored == []


class _Messages:
    def __init__(self, caught):
        self.caught = caught

    def __call__(self):
        gc.collect()
        return [str(warning.message) for warning in self.caught]


def scaled(last, **parameters):
    return make_pipeline(full_augmenter(), StandardScaler(), last, **parameters)


def in_a_thread(run):
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(run).result()


class TestWhereWarningsAreErrors:
    @pytest.mark.parametrize("output", ["default", "pandas", "polars"])
    def test_the_fit_of_a_ranker_raises(self, shown, output):
        pipe = scaled(small_ranker()).set_output(transform=output)
        for n in (1, 2):
            with pytest.raises(UserWarning, match=LOST):
                pipe.fit(X, GROUPS)
            assert [LOST in message for message in shown()] == [True] * n
        assert not hasattr(pipe[-1], "net_")
        # That was it: another fit is not blamed.
        small_ranker().fit(X, GROUPS)

    def test_a_model_of_another_library_raises_when_it_predicts(self, shown):
        pipe = make_pipeline(full_augmenter(), LeastSquares()).fit(X, GROUPS)
        (message,) = shown()
        assert LOST in message
        for _ in range(2):
            with pytest.raises(UserWarning, match=LOST):
                pipe.predict(X)
        # That was said: no other fit is blamed.
        small_ranker().fit(X, GROUPS)
        warnings.simplefilter("always")
        expected = pipe[-1].predict(X)
        assert_array_equal(pipe.predict(X), expected)
        assert_array_equal(pipe.predict(X), expected)
        assert len(shown()) == 2

    @pytest.mark.parametrize("method", ["fit", "fit_transform"])
    def test_a_new_fit_has_no_old_loss(self, shown, method):
        augmenter = full_augmenter()
        augmenter.fit_transform(X, GROUPS)
        with pytest.raises(UserWarning, match=LOST):
            augmenter.transform(X)
        attached = getattr(augmenter, method)(X, GROUPS)
        augmenter.transform(X)
        if method == "fit_transform":
            take(attached)
        assert len(shown()) == 1

    def test_items_that_are_still_there_are_not_lost(self, shown):
        augmenter = full_augmenter()
        attached = augmenter.fit_transform(X, GROUPS)
        augmenter.transform(X)
        small_ranker().fit(X, GROUPS)
        assert small_ranker().fit(attached, GROUPS).n_pairs_ > 12
        del attached
        augmenter.transform(X)
        assert shown() == []

    def test_a_ranker_of_another_target_is_not_blamed(self, shown):
        pipe = make_pipeline(full_augmenter(), LeastSquares()).fit(X, GROUPS)
        other = GROUPS.copy()
        other["preference"] *= 2
        small_ranker().fit(X, other)
        with pytest.raises(UserWarning, match=LOST):
            pipe.predict(X)

    def test_a_pipeline_that_is_right_is_not_blamed(self, shown):
        wrong = make_pipeline(full_augmenter(), LeastSquares()).fit(X, GROUPS)
        right = make_pipeline(full_augmenter(), small_ranker()).fit(X, GROUPS)
        assert right[-1].n_pairs_ > 12
        with pytest.raises(UserWarning, match=LOST):
            wrong.predict(X)

    def test_a_ranker_in_another_thread_is_not_blamed(self, shown):
        pipe = make_pipeline(full_augmenter(), LeastSquares())
        in_a_thread(lambda: pipe.fit(X, GROUPS))
        small_ranker().fit(X, GROUPS)
        with pytest.raises(UserWarning, match=LOST):
            pipe.predict(X)

    def test_threads_raise_each_in_its_fit(self, shown):
        pipes = [scaled(small_ranker()) for _ in range(4)]
        with ThreadPoolExecutor(4) as pool:
            fits = [pool.submit(pipe.fit, X, GROUPS) for pipe in pipes]
        assert [LOST in str(fit.exception()) for fit in fits] == [True] * 4

    @pytest.mark.parametrize("collect", [gc.collect, lambda: in_a_thread(gc.collect)])
    def test_items_in_a_cycle_are_lost_when_it_is_collected(self, shown, collect):
        augmenter, cycle = full_augmenter(), []
        cycle += [cycle, augmenter.fit_transform(X, GROUPS)]
        del cycle
        collect()
        assert len(shown()) == 1
        with pytest.raises(UserWarning, match=LOST):
            augmenter.transform(X)

    @pytest.mark.parametrize("library", [pickle, joblib])
    def test_copies_but_no_clones_of_the_augmenter_know(self, shown, library):
        pipe = make_pipeline(full_augmenter(), LeastSquares()).fit(X, GROUPS)
        file = io.BytesIO()
        library.dump(pipe, file)
        file.seek(0)
        for copied in (library.load(file), deepcopy(pipe)):
            with pytest.raises(UserWarning, match=LOST):
                copied.predict(X)
        clone(pipe[0]).fit(X, GROUPS).transform(X)

    def test_memory(self, shown, tmp_path):
        """The second time, the X that is lost comes from the cache."""
        cache = {"memory": joblib.Memory(tmp_path, verbose=0)}
        for _ in range(2):
            with pytest.raises(UserWarning, match=LOST):
                scaled(small_ranker(), **cache).fit(X, GROUPS)
            pipe = make_pipeline(full_augmenter(), LeastSquares(), **cache)
            pipe.fit(X, GROUPS)
            with pytest.raises(UserWarning, match=LOST):
                pipe.predict(X)
            right = make_pipeline(full_augmenter(), small_ranker(), **cache)
            right.fit(X, GROUPS).predict(X)

    def test_nothing_is_amiss(self, shown):
        make_pipeline(full_augmenter(), small_ranker()).fit(X, GROUPS).predict(X)
        scaled(StandardScaler()).fit(X, np.arange(8.0)).transform(X)
        assert shown() == []


@pytest.mark.parametrize("last", [small_ranker(), LeastSquares()])
def test_items_that_were_warned_of_are_not_mentioned_again(last):
    pipe = scaled(last)
    assert len(warnings_of(lambda: pipe.fit(X, GROUPS))) == 1
    assert warnings_of(lambda: pipe.predict(X)) == []
    assert warnings_of(lambda: small_ranker().fit(X, GROUPS)) == []


class InPlace(TransformerMixin, BaseEstimator):
    """A step that changes its input and hands it on, as a careless one does."""

    def __init__(self, change):
        self.change = change

    def fit(self, X, y=None):
        return self

    def transform(self, X):
        self.change(X)
        return X


def negate(X):
    if isinstance(X, np.ndarray):
        X[:, 0] *= -1
    elif isinstance(X, pd.DataFrame):
        X["SSIM"] *= -1
    else:
        X.replace_column(0, -X["SSIM"])


def rename(X):
    X.columns = ["rank", "SSIM"]


def widen(X):
    if isinstance(X, pd.DataFrame):
        X["more"] = 1.0
    else:
        X.insert_column(2, pl.Series("more", [1.0] * 8))


@pytest.mark.parametrize(
    ("data", "change"),
    [
        (X, negate),
        (PANDAS, negate),
        (POLARS, negate),
        (PANDAS, rename),
        (POLARS, rename),
        (PANDAS, widen),
        (POLARS, widen),
    ],
)
def test_x_that_is_changed_in_place_is_refused(data, change):
    data = deepcopy(data)
    pipe = make_pipeline(full_augmenter(), InPlace(change), small_ranker())
    message = (
        f"X was changed after PairAugmenter had made {N_SYNTHETIC} synthetic items"
    )
    with pytest.raises(ValueError, match=message):
        pipe.fit(data, GROUPS)
    assert warnings_of(gc.collect) == []


@CONTAINERS
def test_a_step_that_leaves_x_as_it_is_may_stand_between(data):
    pipe = make_pipeline(full_augmenter(), InPlace(len), small_ranker())
    pipe.fit(data, GROUPS)
    assert pipe[-1].n_pairs_ == n_pairs_of(take(augmented(data)))


@pytest.mark.parametrize(
    ("steps", "y"),
    [
        ((StandardScaler(), full_augmenter(), small_ranker()), GROUPS),
        ((PairAugmenter((), n_injected=0), LeastSquares()), GROUPS),
        # scikit-learn's own checks look at fit_transform of a plain target.
        ((full_augmenter(), StandardScaler()), np.arange(8.0)),
    ],
)
def test_no_warning_without_a_loss(steps, y):
    assert warnings_of(lambda: make_pipeline(*steps).fit(X, y)) == []


@CONTAINERS
def test_the_ranker_trains_on_the_items(data):
    pipe = make_pipeline(full_augmenter(), small_ranker()).fit(data, GROUPS)
    assert pipe[-1].n_pairs_ == n_pairs_of(take(augmented(data)))
    plain = make_pipeline(PairAugmenter((2,)), small_ranker()).fit(X[:4], [4, 1, 3, 2])
    # Own 4, 1, 3, 2 and stitched 2, 2, 2, 1, 1, 0: of 45 pairs 6 + 3 tie.
    assert plain[-1].n_pairs_ == 45 - 4 * 3 // 2 - 3 * 2 // 2


def test_the_paper_has_more_than_500k_pairs():
    """Eight systems stitched in every way, and eight of the other track."""
    system, clip = np.indices((16, 12)).reshape(2, -1)
    fields = {"item": system, "clip": clip, "donor": system >= 8}
    groups = Groups.from_winners(group=system // 8, winner=system % 8 == 0, **fields)
    data = np.random.default_rng(0).normal(size=(len(system), 3))
    augmenter = PairAugmenter(max_stitched=None, n_injected=None)
    pipe = make_pipeline(augmenter, small_ranker()).fit(data, groups)
    assert pipe[-1].n_pairs_ == 1_443_254


@CONTAINERS
def test_augment_gives_plain_data_and_changes_nothing(data):
    augmenter = full_augmenter().fit(X[:, :1], GROUPS)
    before = dict(vars(augmenter))
    more, groups = augmenter.augment(data, GROUPS)
    assert vars(augmenter) == before
    items = take(augmented(data))
    assert type(more) is np.ndarray
    assert_array_equal(more, items.X)
    assert groups.dtype.names == ("group", "preference", "group_size")
    assert_array_equal(groups["group"], items.group)
    assert_array_equal(groups["preference"], items.preference)


def test_parameters_and_seed_decide_what_is_made():
    caps = {"max_stitched": 2, "n_injected": 3}
    penalties = {"stitch_penalty": 0.25, "injected_penalty": 50}
    made = [
        PairAugmenter((3,), **caps, **penalties, random_state=seed).augment(X, GROUPS)
        for seed in (0, 0, 1)
    ]
    assert_array_equal(made[0][0], made[1][0])
    assert not np.array_equal(made[0][0], made[2][0])
    judged, stitched, injected = np.split(made[0][1]["preference"], [8, 8 + 2 * 2])
    assert set(stitched) <= {3 - 3 * 0.25, 4 - 3 * 0.25, 5 - 3 * 0.25, 7 - 3 * 0.25}
    assert len(injected) == 2 * 3
    assert set(injected) <= set(judged - 50)


def augmented_names(item, **fields):
    preference = np.arange(len(item))
    groups = Groups.from_arrays(item=item, preference=preference, **fields)
    augmenter = PairAugmenter((2,), n_injected=10)
    more, target = augmenter.augment(np.ones((len(item), 1)), groups)
    assert len(more) == len(target)
    return target["item"].tolist()


def test_augment_names_the_items_after_their_parents():
    judged = ["a", "b", "c"]
    stitched = ["stitched:a+b", "stitched:a+c", "stitched:b+c"]
    injected = ["injected:t:a", "injected:t:b", "injected:t:c", "injected:l:z"]
    names = augmented_names([*judged, "z"], group=list("tttl"))
    assert names == ["z", *judged, *stitched, *injected]
    names = augmented_names([*judged, "z"], group=list("tttl"), donor=[0, 0, 0, 1])
    assert names == [*judged, *stitched, "injected:donor-1"]
    assert augmented_names([5, 3, 9], group=[0, 0, 0]) == [3, 5, 9, 10, 11, 12]


@pytest.mark.parametrize(
    ("item", "name"),
    [
        (["a", "b+c", "a+b", "c"], "stitched:a+b+c"),  # two ways to read it
        (["a", "b", "stitched:a+b"], "stitched:a+b"),  # called so already
    ],
)
def test_augment_never_gives_two_items_one_name(item, name):
    names = augmented_names(item, group=np.zeros(len(item), int))
    assert {name, f"{name}#2"} < set(names)
    assert len(set(names)) == len(names)


def test_augment_merges_rows_and_keeps_weights():
    fields = {"group": [0, 0, 0], "preference": [1, 1, 3], "clip": [0, 1, 0]}
    groups = Groups.from_arrays(**fields, item=["x", "x", "y"], weight=[1, 2, 4])
    more, target = PairAugmenter((2,)).augment([[1.0], [3.0], [8.0]], groups)
    assert target.dtype.names == (
        "group",
        "preference",
        "item",
        "weight",
        "group_size",
    )
    # Of the two orders only y then x has a clip in either half.
    assert more.ravel().tolist() == [2.0, 8.0, (8 + 3) / 2]
    assert target["weight"].tolist() == [1.5, 4.0, (1.5 + 4) / 2]
    assert target["item"].tolist() == ["x", "y", "stitched:y+x"]
    assert target["preference"].tolist() == [1.0, 3.0, 3.0 - 2]


# Two groups of four items; with clips, each item has one in either half, and with
# donors, the second group only donates.
CLIPS = {"clip": [0, 1] * 8, "item": np.arange(16) // 2}
DONORS = {"donor": np.arange(16) >= 8}
NO_DONORS = {"donor": np.zeros(16, bool)}


def two_groups(**fields):
    preference = np.arange(16) // 2
    return Groups.from_arrays(group=preference // 4, preference=preference, **fields)


def numbers_made(augmenter, groups):
    """How many stitched items there are, and injected ones."""
    table = np.random.default_rng(0).normal(size=(16, 2))
    attached = augmenter.fit_transform(table, groups)
    items = take_attached_items(attached, groups)
    more, _ = augmenter.augment(table, groups)
    assert len(more) == len(items)
    injected = items.preference < -50
    return int(np.sum(~items.judged & ~injected)), int(np.sum(injected))


# With clips, two halves in either order: 4 * 3; three runs of two clips: none.
@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        (CLIPS, (2 * 4 * 3, 0)),
        (CLIPS | NO_DONORS, (2 * 4 * 3, 0)),
        (CLIPS | DONORS, (4 * 3, 4)),
        (DONORS, (0, 8)),
    ],
)
def test_auto_stitches_clips_and_injects_donors(fields, expected):
    assert numbers_made(PairAugmenter(), two_groups(**fields)) == expected


def test_auto_is_the_papers_numbers():
    clip, item = np.indices((4, 20)).reshape(2, -1)
    groups = Groups.from_arrays(
        group=item // 5, preference=item, item=item, clip=clip, donor=item >= 5
    )
    data = np.random.default_rng(0).normal(size=(80, 2))
    made = PairAugmenter(random_state=0).augment(data, groups)
    asked = full_augmenter(random_state=0).augment(data, groups)
    # Orders of 2, 3 and 4 of the five items, and 10 of the 15 donors.
    assert len(made[0]) == 5 + 5 * 4 + 5 * 4 * 3 + 5 * 4 * 3 * 2 + 10
    assert_array_equal(made[0], asked[0])
    assert_array_equal(made[1], asked[1])


@pytest.mark.parametrize("sizes", [(2, 3), np.array([2, 3])])
def test_what_is_asked_for_is_made_without_clips_and_donors(sizes):
    stitched = 2 * (8 * 7 // 2 + 8 * 7 * 6 // 6)
    augmenter = PairAugmenter(sizes)
    assert numbers_made(augmenter, two_groups()) == (stitched, 0)
    augmenter.set_params(n_injected=3)
    assert numbers_made(augmenter, two_groups()) == (stitched, 6)
    augmenter.set_params(stitch_sizes="auto", n_injected=None)
    assert numbers_made(augmenter, two_groups()) == (0, 16)


@pytest.mark.parametrize(
    ("parameters", "fields", "lacking", "remedies"),
    [
        (
            {},
            NO_DONORS,
            "no field clip and no donor",
            "stitch_sizes=(2, 3, 4) or n_injected=10",
        ),
        ({"stitch_sizes": ()}, CLIPS, "no donor", "n_injected=10"),
        ({"n_injected": 0}, DONORS, "no field clip", "stitch_sizes=(2, 3, 4)"),
    ],
)
@pytest.mark.parametrize("method", ["fit_transform", "augment"])
def test_auto_warns_where_it_makes_nothing(
    parameters, fields, lacking, remedies, method
):
    message = (
        f"PairAugmenter made no items: the target has {lacking}; "
        '"auto" stitches where there are clips and injects where there are donors. '
        f"Leave PairAugmenter out, or pass {remedies} to make them anyway, which often "
        "lowers agreement (docs/augmentation.md)."
    )
    make = getattr(PairAugmenter(**parameters), method)
    with pytest.warns(UserWarning, match=f"^{re.escape(message)}$"):
        make(np.ones((16, 1)), two_groups(**fields))


@pytest.mark.parametrize(
    ("parameters", "y"),
    [
        ({}, np.arange(16.0)),
        ({"stitch_sizes": (), "n_injected": 0}, two_groups()),
        ({"stitch_sizes": (2,)}, two_groups()),
        ({"n_injected": None}, two_groups()),
        ({}, two_groups(**CLIPS)),
        ({}, two_groups(**DONORS)),
    ],
)
def test_no_warning_where_nothing_is_amiss(parameters, y):
    pipe = make_pipeline(PairAugmenter(**parameters), small_ranker())
    assert warnings_of(lambda: pipe.fit(np.arange(32.0).reshape(16, 2), y)) == []


def test_fit_alone_makes_nothing_and_does_not_warn():
    assert warnings_of(lambda: PairAugmenter().fit(X, GROUPS)) == []


def test_where_nothing_is_made_the_ranker_learns_the_same():
    rng = np.random.default_rng(0)
    data = rng.normal(size=(30, 2))
    # Rows in no order of the groups or items: both sides must sort alike.
    groups = Groups.from_arrays(
        group=rng.permutation(30) // 5,
        preference=data[:, 0] - data[:, 1],
        item=rng.permutation(30),
    )
    plain = make_pipeline(StandardScaler(), small_ranker()).fit(data, groups)
    pipe = make_pipeline(StandardScaler(), PairAugmenter(), small_ranker())
    with pytest.warns(UserWarning, match="made no items"):
        pipe.fit(data, groups)
    assert pipe[-1].n_pairs_ == 6 * 10
    assert_array_equal(pipe.predict(data), plain.predict(data))


# A donor needs a preference too: an injected item has it, less the penalty.
UNJUDGED = Groups.from_arrays(
    group=[0] * 8, preference=[*range(7), None], donor=[1] * 8
)


@pytest.mark.parametrize(
    ("parameters", "data", "groups", "message"),
    [
        ({"stitch_sizes": (2, 1)}, X, GROUPS, "holds 1; expected integers >= 2"),
        ({"stitch_sizes": (2.0,)}, X, GROUPS, "holds 2.0; expected integers >= 2"),
        ({"stitch_sizes": (3, 3)}, X, GROUPS, "stitch_sizes=(3, 3) names a size twice"),
        (
            {"stitch_sizes": 2},
            X,
            GROUPS,
            "an array-like or a str among {'auto'}. Got 2",
        ),
        ({"stitch_sizes": "all"}, X, GROUPS, "a str among {'auto'}. Got 'all' instead"),
        ({"max_stitched": -1}, X, GROUPS, "range [0, inf) or None. Got -1 instead"),
        (
            {"n_injected": 1.5},
            X,
            GROUPS,
            "a str among {'auto'} or None. Got 1.5 instead",
        ),
        ({"stitch_penalty": np.inf}, X, GROUPS, "range (-inf, inf). Got inf instead"),
        ({"injected_penalty": np.nan}, X, GROUPS, "range (-inf, inf). Got nan instead"),
        ({}, X[:, :1], UNJUDGED, "(NaN) in 1 of 8 rows, the first at row 7"),
        ({}, X[:5, :1], GROUPS, "groups has 8 entries but X has 5 rows"),
        ({}, np.full((8, 1), -np.inf), GROUPS, "X contains infinity: -inf at row 0,"),
    ],
)
@pytest.mark.parametrize("method", ["fit", "fit_transform", "augment"])
def test_errors_leave_it_as_it_was(method, parameters, data, groups, message):
    augmenter = PairAugmenter().fit(PANDAS, GROUPS).set_params(**parameters)
    before = dict(vars(augmenter))
    with pytest.raises(ValueError, match=re.escape(message)):
        getattr(augmenter, method)(data, groups)
    assert vars(augmenter) == before


def test_what_cannot_be_answered():
    with pytest.raises(NotFittedError, match="PairAugmenter instance is not fitted"):
        PairAugmenter().transform(X)
    with pytest.raises(ValueError, match="X has 1 features, but PairAugmenter is"):
        PairAugmenter().fit(X, GROUPS).transform(X[:, :1])
    with pytest.raises(TypeError, match="augment takes groups as a structured array"):
        PairAugmenter().augment(X, np.arange(8.0))
    with pytest.raises(TypeError, match="X is list; expected an array or a pandas or"):
        attach_items([[1.0]], None)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.longdouble])
def test_penalties_of_every_float_type(dtype):
    X = np.arange(12.0).reshape(6, 2)
    groups = Groups.from_arrays(group=[0, 0, 0, 1, 1, 1], preference=[1e5, 0, 2] * 2)
    params = {"stitch_sizes": (2,), "n_injected": 2, "random_state": 0}
    expected = PairAugmenter(**params).augment(X, groups)[1]
    penalties = {"stitch_penalty": dtype(1), "injected_penalty": dtype(100)}
    found = PairAugmenter(**params, **penalties).augment(X, groups)[1]
    assert_array_equal(found["preference"], expected["preference"])
