"""Plans of residual networks. Torch-free."""

from trainables.stack.step import Plan
from trainables.stack.steps import BatchNorm, Conv, Dropout, ReLU, Residual


def dropping(rate: float) -> Plan:
    """A dropout step, or none at rate 0."""
    return (Dropout(rate),) if rate else ()


def stages(blocks: tuple[int, ...], dropout: float) -> Plan:
    """Stages of basic blocks; every stage but the first starts by halving the image.

    What leaves the blocks of stage s are the channels `stream_s`, coupled by the additions; what is inside block b of
    it are `block_s_b`. A stage that halves starts with a projection (1 × 1 convolution and batch norm) instead of an
    identity, which keeps the streams of different stages apart.

    Args:
        blocks: Blocks of each stage; the first stage continues what comes in as `stream_1`.
        dropout: Rate between the two convolutions of a block.

    References:
        He et al. 2016, arXiv:1512.03385, figure 2 and option B of section 3.3.
    """
    plan: Plan = ()
    for stage, count in enumerate(blocks, start=1):
        for block in range(1, count + 1):
            halves = stage > 1 and block == 1
            plan += _basic(f"block_{stage}_{block}", f"stream_{stage}", halves, dropout)
    return plan


def _basic(inside: str, stream: str, halves: bool, dropout: float) -> Plan:
    stride = 2 if halves else 1
    body: Plan = (
        *(Conv(inside, stride=stride, bias=False), BatchNorm(), ReLU()),
        *dropping(dropout),
        *(Conv(stream, bias=False), BatchNorm()),
    )
    projection: Plan = (Conv(stream, kernel=1, stride=2, padding=0, bias=False), BatchNorm())
    return (Residual(body, projection if halves else ()), ReLU())


def stage_units(blocks: tuple[int, ...], first: int) -> dict[str, int]:
    """Units of each group of `stages`: `first` in stage 1, twice as many in each stage after it."""
    units: dict[str, int] = {}
    for stage, count in enumerate(blocks, start=1):
        channels = first * 2 ** (stage - 1)
        units[f"stream_{stage}"] = channels
        units |= {f"block_{stage}_{block}": channels for block in range(1, count + 1)}
    return units


def preactivated_stages(blocks: int, dropout: float) -> Plan:
    """Three stages of pre-activated blocks on channels `stem`, batch norm and ReLU at the end.

    The first block of each stage projects (1 × 1 convolution of the activated input), also where no width changes:
    a plan does not depend on widths. Names are those of `stages`.

    References:
        He et al. 2016, arXiv:1603.05027; Zagoruyko & Komodakis 2016, arXiv:1605.07146 (dropout between convolutions).
    """
    plan: Plan = ()
    for stage in (1, 2, 3):
        stream = f"stream_{stage}"
        for block in range(1, blocks + 1):
            stride = 2 if block == 1 and stage > 1 else 1
            inside = f"block_{stage}_{block}"
            activation: Plan = (BatchNorm(), ReLU())
            convolutions: Plan = (
                *(Conv(inside, stride=stride, bias=False), BatchNorm(), ReLU()),
                *dropping(dropout),
                Conv(stream, bias=False),
            )
            projection = Conv(stream, kernel=1, stride=stride, padding=0, bias=False)
            if block == 1:
                plan += (*activation, Residual(convolutions, (projection,)))
            else:
                plan += (Residual((*activation, *convolutions)),)
    return (*plan, BatchNorm(), ReLU())
