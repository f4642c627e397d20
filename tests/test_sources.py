"""Groups.concat: sources stay apart, fields are filled in, mistakes are named."""

import re

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from sklearn_pscore import Groups, PairAugmenter
from sklearn_pscore.metrics import pairwise_accuracy_score

MOS = Groups.from_arrays(
    group=[1, 1, 2, 2],
    preference=[4.0, 3.0, 2.0, 5.0],
    item=["a", "b", "a", "b"],
    clip=[3, 4, 3, 4],
    weight=[1.0, 2.0, 0.5, 0.0],
)
AWARD = Groups.from_winners(group=["1", "1"], winner=[False, True])


def test_groups_of_one_label_stay_apart_and_fields_are_filled_in():
    groups = Groups.concat({"mos": MOS, "award": AWARD})
    expected = Groups.from_arrays(
        group=["mos:1", "mos:1", "mos:2", "mos:2", "award:1", "award:1"],
        preference=[4.0, 3.0, 2.0, 5.0, 0.0, 10.0],
        item=["a", "b", "a", "b", "award:0", "award:1"],
        clip=[3, 4, 3, 4, 0, 0],
        weight=[1.0, 2.0, 0.5, 0.0, 1.0, 1.0],
    )
    assert groups.dtype == expected.dtype
    assert groups.tolist() == expected.tolist()
    listed = Groups.concat([MOS, AWARD], names=["mos", "award"])
    assert listed.tolist() == groups.tolist()


def test_sources_without_names_are_numbered():
    donors = Groups.from_arrays(group=[1], donor=[True])
    groups = Groups.concat((AWARD, donors))
    assert groups["group"].tolist() == ["0:1", "0:1", "1:1"]
    assert groups["donor"].tolist() == [False, False, True]
    assert_array_equal(groups["preference"], [0.0, 10.0, np.nan])


def test_rows_without_an_item_are_numbered_on():
    numbered = Groups.from_arrays(group=[1, 1], preference=[2, 1], item=[7, -2])
    groups = Groups.concat([AWARD, numbered, AWARD])
    assert groups["item"].tolist() == [8, 9, 7, -2, 10, 11]


@pytest.mark.parametrize("seed", range(5))
def test_a_metric_is_the_mean_over_the_groups_of_all_sources(seed):
    rng = np.random.default_rng(seed)
    sources = [
        Groups.from_arrays(group=rng.integers(3, size=20), preference=rng.random(20)),
        Groups.from_winners(
            group=rng.integers(3, size=30).astype(str), winner=np.arange(30) % 3 == 0
        ),
    ]
    scores = [rng.random(len(source)) for source in sources]
    apart = [
        pairwise_accuracy_score(source, score, average=False)
        for source, score in zip(sources, scores, strict=True)
    ]
    joined = pairwise_accuracy_score(
        Groups.concat(sources), np.concatenate(scores), average=False
    )
    assert_array_equal(joined, np.concatenate(apart))


def test_a_source_without_clips_is_not_stitched():
    X = np.arange(6.0).reshape(-1, 1)
    with_clips = Groups.concat({"mos": MOS, "award": AWARD})
    augmenter = PairAugmenter(stitch_sizes=(2,))
    augmented = augmenter.augment(X, with_clips)[1]
    alone = augmenter.augment(X[:4], Groups.concat({"mos": MOS}))[1]
    assert len(alone) > 3  # Something is stitched: one row of MOS has no weight.
    assert augmented[:-2]["preference"].tolist() != []
    from_award = augmented[augmented["group"] == "award:1"]
    assert sorted(from_award["preference"]) == [0.0, 10.0]


MIXED = [MOS, Groups.from_arrays(group=[1], item=[1])]
LARGE = [AWARD, Groups.from_arrays(group=[1], item=[2**63 - 2])]


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ((MOS,), TypeError, "targets is ndarray; expected a list of targets"),
        ((MOS, AWARD), TypeError, "targets is ndarray; expected a list of targets"),
        (([MOS], AWARD), TypeError, "names is ndarray; expected a list with a string"),
        (([],), ValueError, "targets is empty; expected at least one target"),
        (({"a": MOS}, ["b"]), TypeError, "names was passed beside a dict"),
        (([MOS, AWARD], ["a"]), ValueError, "1 entries but targets has 2; expected"),
        (([MOS, AWARD], ["a", 2]), TypeError, "names holds 2, a int; expected strings"),
        (([MOS], ["a:b"]), ValueError, "names holds 'a:b'; expected names without ':'"),
        (
            ([MOS], [""]),
            ValueError,
            "names holds ''; expected names without ':', which",
        ),
        (
            ([MOS, AWARD], ["a", "a"]),
            ValueError,
            "['a', 'a']; expected different names",
        ),
        (([MOS, [1.0, 0.0]],), TypeError, "takes target '1' as a structured array of"),
        (({"a": MOS, "b": None},), TypeError, "takes target 'b' as a structured array"),
        ((MIXED,), TypeError, "item holds strings in '0', integers in '1'; expected"),
        (
            (LARGE,),
            ValueError,
            "item is 9223372036854775806 in one source, which leaves",
        ),
    ],
)
def test_sources_that_cannot_be_joined(arguments, error, message):
    with pytest.raises(error, match=re.escape(message)):
        Groups.concat(*arguments)
