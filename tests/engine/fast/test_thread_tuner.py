import numpy as np
import pytest
import torch

from isthmus import AutoEncoder, Compute
from isthmus.engine.fast.thread_tuner import PAUSE, ROUNDS, SLOW, STEPS, WINDOW, ThreadTuner


class Machine:
    """A clock, and dry runs that take as long as the machine's mood says for the number of threads in use."""

    def __init__(self, **seconds):
        self.now = 0.0
        self.seconds = {int(name[1:]): value for name, value in seconds.items()}
        self.runs = []
        self.bits = {}

    def clock(self):
        return self.now

    def dry_run(self):
        count = torch.get_num_threads()
        self.runs.append(count)
        self.now += self.seconds[count]
        return torch.tensor([self.bits.get(count, 0.0)])

    def tuner(self, *counts, repeatable=False):
        return ThreadTuner(counts, lambda: [self.dry_run, self.dry_run], repeatable, self.clock)

    def run(self, tuner, steps):
        for _ in range(steps):
            spent = self.seconds[torch.get_num_threads()]
            self.now += spent
            tuner.note(spent)


@pytest.mark.parametrize(
    ("seconds", "chosen"),
    [
        ({"t1": 1.0, "t2": 0.6, "t4": 0.4}, 4),
        ({"t1": 1.0, "t2": 0.6, "t4": 0.9}, 2),
        ({"t1": 1.0, "t2": 1.1, "t4": 0.4}, 4),
        ({"t1": 1.0, "t2": 0.95, "t4": 0.95}, 1),
        ({"t1": 1.0, "t2": 0.5, "t4": 0.48}, 2),
        ({"t1": 1.0, "t2": 50.0, "t4": 100.0}, 1),
    ],
)
@pytest.mark.usefixtures("three_threads")
def test_the_fastest_is_chosen_and_fewer_where_more_bring_little(seconds, chosen):
    machine = Machine(**seconds)
    with machine.tuner(1, 2, 4) as tuner:
        tuner.choose()
        assert tuner.count == torch.get_num_threads() == chosen
    assert torch.get_num_threads() == 3
    assert len(machine.runs) <= ROUNDS * 3 * (STEPS + 1)
    assert tuner.description.startswith(f"{chosen} (1e+03 ms with 1, ")


@pytest.mark.usefixtures("three_threads")
def test_what_is_far_behind_is_tried_once():
    machine = Machine(t1=1.0, t2=100.0)
    with machine.tuner(1, 2) as tuner:
        tuner.choose()
    assert machine.runs.count(2) == 2


@pytest.mark.usefixtures("three_threads")
def test_threads_are_as_before_after_an_error():
    with pytest.raises(KeyError), Machine(t1=1.0).tuner(1, 2) as tuner:
        tuner.choose()  # of two threads this machine knows nothing
    assert torch.get_num_threads() == 3


@pytest.mark.usefixtures("three_threads")
def test_a_neighbour_that_takes_a_core_is_met_at_once():
    machine = Machine(t1=1.0, t2=0.6)
    with machine.tuner(1, 2) as tuner:
        tuner.choose()
        machine.run(tuner, 100)
        assert (tuner.count, tuner.trials) == (2, 1)
        machine.seconds[2] = 60.0
        machine.run(tuner, 2)
        assert (tuner.count, tuner.trials) == (1, 2)
        assert tuner.description.endswith("tried 2 times)")


@pytest.mark.usefixtures("three_threads")
def test_slow_from_the_first_step_on():
    machine = Machine(t1=1.0, t2=0.6)
    with machine.tuner(1, 2) as tuner:
        tuner.choose()
        machine.seconds[2] = 60.0
        machine.run(tuner, WINDOW)
        assert tuner.count == 1


@pytest.mark.usefixtures("three_threads")
def test_a_core_that_is_free_again_is_found_and_looking_for_it_costs_little():
    machine = Machine(t1=1.0, t2=60.0)
    with machine.tuner(1, 2) as tuner:
        tuner.choose()
        start = machine.now
        machine.run(tuner, 100_000)
        in_trials = machine.now - start - 100_000
        assert tuner.trials > 2
        assert in_trials < 2 * 100_000 / PAUSE
        machine.seconds[2] = 0.6
        machine.run(tuner, 2 * PAUSE * 150)
        assert tuner.count == 2


@pytest.mark.usefixtures("three_threads")
def test_steps_that_are_always_somewhat_longer_than_dry_runs_call_for_no_trial():
    machine = Machine(t1=1.0, t2=0.6)
    with machine.tuner(1, 2) as tuner:
        tuner.choose()
        machine.seconds[2] *= 1.3 * SLOW
        machine.run(tuner, 10 * WINDOW)
        assert tuner.trials == 1


@pytest.mark.usefixtures("three_threads")
def test_repeatable_runs_take_only_counts_that_change_no_bit():
    machine = Machine(t1=1.0, t2=0.6, t4=0.1)
    machine.bits[4] = 1e-9
    with machine.tuner(1, 2, 4, repeatable=True) as tuner:
        tuner.choose()
        assert tuner.count == 2
        assert tuner.counts == [1, 2]


@pytest.mark.usefixtures("three_threads")
def test_one_number_is_taken_without_trial():
    machine = Machine(t2=1.0)
    with machine.tuner(2) as tuner:
        assert torch.get_num_threads() == 2
        tuner.step_done()
    assert (machine.runs, tuner.description) == ([], "2")


@pytest.mark.usefixtures("three_threads")
def test_every_dry_run_must_give_equal_gradients():
    exact = lambda: torch.ones(2)  # noqa: E731
    moody = lambda: torch.full((2,), float(torch.get_num_threads() == 4))  # noqa: E731
    with ThreadTuner([1, 2, 4], list) as tuner:
        assert tuner.equal_counts([exact]) == [1, 2, 4]
        assert tuner.equal_counts([exact, moody]) == [1, 2]


X = np.random.default_rng(0).random((2000, 300)).astype(np.float32)


@pytest.mark.usefixtures("three_threads")
@pytest.mark.parametrize("settings", [{}, {"penalty": "l1"}, {"compute": Compute(precision="bfloat16")}])
def test_trials_leave_no_trace_in_the_model(monkeypatch, settings):
    found = []
    for seconds in ({1: 1.0, 2: 0.1, 3: 0.5}, {1: 0.1, 2: 1.0, 3: 1.0}):
        clock = Machine()

        def tick(clock=clock, seconds=seconds):
            clock.now += seconds[torch.get_num_threads()]
            return clock.now

        monkeypatch.setattr(ThreadTuner.__init__, "__defaults__", (False, tick, ThreadTuner.__init__.__defaults__[-1]))
        ae = AutoEncoder(20, (200,), epochs=30, init="torch", random_state=0, **settings).fit(X)
        found.append(ae)
        assert torch.get_num_threads() == 3
    for one, other in zip(*[ae.network_.state_dict().values() for ae in found], strict=True):
        assert torch.equal(one, other)
    np.testing.assert_array_equal(*[ae.history_["val_loss"] for ae in found])
    tried = [ae.fit_report_.threads.split()[0] for ae in found]
    assert tried == (["3", "3"] if "penalty" in settings else ["2", "1"]) or tried == ["1", "1"]


@pytest.mark.usefixtures("three_threads")
def test_without_a_seed_autograd_has_trials_too(monkeypatch):
    monkeypatch.setattr(ThreadTuner, "equal_counts", lambda *given: pytest.fail("nobody asked for the same again"))
    ae = AutoEncoder(20, (200,), epochs=30, penalty="l1").fit(X)
    assert "ms with 2" in ae.fit_report_.threads


def test_a_generator_of_noise_is_not_drawn_from_by_dry_runs():
    settings = {"latent": 20, "hidden": (200,), "epochs": 20, "corruption": "gaussian_noise", "random_state": 0}
    before = torch.get_num_threads()
    found = []
    try:
        for threads in (1, 2):
            torch.set_num_threads(threads)
            found.append(AutoEncoder(**settings, init="torch").fit(X))
    finally:
        torch.set_num_threads(before)
    np.testing.assert_array_equal(*[ae.history_["loss"] for ae in found])
