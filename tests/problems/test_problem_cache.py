"""What is kept for problems is bounded and goes with them."""

import copy
import gc
import pickle
import weakref

from diffcomb.problems import Assignment, Knapsack, ProblemCache


def test_thousands_of_problems_leave_as_many_entries_as_allowed():
    """The one not asked for the longest goes first; what is kept is made once."""
    cache = ProblemCache(capacity=10)
    first, made = Assignment(2), []
    for number in range(4000):
        problem = Assignment(2)
        cache.get(problem, lambda number=number: made.append(number))
        cache.get(first, lambda: made.append("first"))
    assert len(cache) == 10
    assert made.count("first") == 1
    assert len(made) == 4001


def test_problems_are_not_kept_alive():
    """What does not refer to its problem lets it go."""
    cache = ProblemCache()
    problem = Assignment(2)
    cache.get(problem, lambda: 1.0)
    seen = weakref.ref(problem)
    del problem
    gc.collect()
    assert seen() is None


def test_one_entry_for_a_structure():
    """Knapsacks that differ in capacity alone share what depends on their rows."""
    cache = ProblemCache(by_structure=True)
    found = {cache.get(Knapsack([1.0, 2.0], c), lambda c=c: c) for c in (1, 2, 3)}
    assert found == {1}
    assert cache.get(Knapsack([1.0, 3.0], 1), lambda: "other") == "other"


def test_copies_start_empty():
    """Solvers and engines of other libraries can often be neither copied nor pickled."""
    cache = ProblemCache(7, by_structure=True)
    cache.get(Assignment(2), lambda: iter(()))
    for other in (copy.deepcopy(cache), pickle.loads(pickle.dumps(cache))):
        assert (len(other), other.capacity, other.by_structure) == (0, 7, True)
