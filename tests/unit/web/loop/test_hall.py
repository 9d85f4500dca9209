import asyncio

from tailrace.web.loop.hall import ROUND_BYTES, STEP_BYTES, Hall


def _rounds(sizes: list[int]) -> list[list[int]]:
    """Return who got a turn in each round of the loop, all having asked for one in the same."""

    async def take() -> list[list[int]]:
        loop = asyncio.get_running_loop()
        hall, rounds = Hall(loop), list[list[int]]()

        async def one(number: int) -> None:
            await hall.turn(sizes[number])
            rounds[-1].append(number)

        def begin_round() -> None:
            rounds.append([])
            loop.call_soon(begin_round)

        begin_round()
        await asyncio.gather(*(one(number) for number in range(len(sizes))))
        return [each for each in rounds if each]

    return asyncio.run(take())


def test_who_has_had_little_reads_together_with_others() -> None:
    """A crowd that has just come does not wait a round of the loop for each of them."""
    at_once = ROUND_BYTES // STEP_BYTES
    rounds = _rounds([0] * at_once * 3)
    assert [len(each) for each in rounds] == [at_once] * 3
    assert [number for each in rounds for number in each] == list(range(at_once * 3))


def test_who_has_had_much_reads_alone() -> None:
    """What viewers read in one round, others wait for."""
    assert _rounds([ROUND_BYTES] * 3) == [[0], [1], [2]]
    assert _rounds([STEP_BYTES, ROUND_BYTES, STEP_BYTES]) == [[0, 1], [2]]


def test_a_turn_that_nobody_waits_for_any_more_is_passed_on() -> None:
    """A viewer that leaves while it waits holds up nobody."""

    async def leave() -> None:
        hall = Hall(asyncio.get_running_loop())
        gone = asyncio.ensure_future(hall.turn(ROUND_BYTES))
        stays = asyncio.ensure_future(hall.turn(ROUND_BYTES))
        await asyncio.sleep(0)
        gone.cancel()
        await asyncio.wait_for(stays, 60)
        assert gone.cancelled()

    asyncio.run(leave())
