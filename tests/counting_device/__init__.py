"""A device for machines without a GPU: says it is `cuda:0`, computes on the CPU, and counts what it is asked for."""

from tests.counting_device.device import CountingDevice, Counts, counting_device

__all__ = ["CountingDevice", "Counts", "counting_device"]
