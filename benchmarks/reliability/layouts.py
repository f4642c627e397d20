"""Arrays of the same values, laid out in memory in unusual ways."""

import numpy as np


def memory_map(values):
    """Return values as a memory map, from a file in the folder that was named."""
    path = memory_map.folder / f"{id(values)}.npy"
    np.save(path, np.array(values))
    return np.load(path, mmap_mode="r")


def keep_memory_maps_in(folder):
    """Say where memory maps are written to."""
    memory_map.folder = folder


def read_only(values):
    array = np.array(values)
    array.flags.writeable = False
    return array


def unaligned(values):
    array = np.array(values)
    raw = np.empty(array.nbytes + 1, dtype=np.uint8)
    odd = raw[1:].view(array.dtype).reshape(array.shape)
    odd[...] = array
    return odd


def in_field_of_records(values):
    array = np.array(values)
    field = ("values", array.dtype, array.shape[1:])
    records = np.empty(len(array), dtype=[("flag", "i1"), field])
    records["values"] = array
    return records["values"]
