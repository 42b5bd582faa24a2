from itertools import pairwise

from slackbot.pace import Pace


class Clock:
    def __init__(self):
        self.now = 100.0

    def __call__(self):
        return self.now


def test_a_burst_goes_out_at_once_and_then_one_a_second():
    clock = Clock()
    pace = Pace(per_second=1.0, burst=3, clock=clock)
    sent = []
    while clock.now < 110:
        if pace.wait_s("C1") == 0:
            pace.used("C1")
            sent.append(clock.now)
        else:
            clock.now += pace.wait_s("C1")
    assert sent[:3] == [100.0, 100.0, 100.0]
    assert {round(later - earlier, 6) for earlier, later in pairwise(sent[2:])} == {1.0}


def test_channels_do_not_slow_each_other():
    pace = Pace(per_second=1.0, burst=1, clock=Clock())
    pace.used("C1")
    assert pace.wait_s("C1") > 0
    assert pace.wait_s("C2") == 0
