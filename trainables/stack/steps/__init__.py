"""The kinds of steps that plans are made of, one file each. Torch-free until a module is built."""

from trainables.stack.steps.average_pool import AveragePool
from trainables.stack.steps.batch_norm import BatchNorm
from trainables.stack.steps.conv import Conv
from trainables.stack.steps.dropout import Dropout
from trainables.stack.steps.erf import Erf
from trainables.stack.steps.linear import Linear
from trainables.stack.steps.max_pool import MaxPool
from trainables.stack.steps.relu import ReLU
from trainables.stack.steps.residual import Residual
from trainables.stack.steps.tied_units import TiedUnits

__all__ = ["AveragePool", "BatchNorm", "Conv", "Dropout", "Erf", "Linear", "MaxPool", "ReLU", "Residual", "TiedUnits"]
