"""How much of a container's volume its ext4 file system offers."""

from __future__ import annotations

_BLOCK = 4096
_GROUP_BLOCKS = 32768
_BYTES_PER_INODE = 16384
_INODE = 256
_DESCRIPTORS_PER_BLOCK = 64
_GROWTH = 1024
_JOURNALS = (
    (32768, 1024),
    (256 * 1024, 4096),
    (512 * 1024, 8192),
    (4096 * 1024, 16384),
    (8192 * 1024, 32768),
    (16384 * 1024, 65536),
    (32768 * 1024, 131072),
)
"""Blocks below which a file system gets a journal of so many blocks."""
_LARGEST_JOURNAL = 262144


def usable_size(size: int, made_with: int) -> int:
    """Return the bytes that ``df`` calls the size of an ext4 file system.

    Args:
        size: Bytes of the volume.
        made_with: Bytes it had when the file system was made; journal and reserve stem from then.
    """
    blocks, first = size // _BLOCK, made_with // _BLOCK
    groups = -(-blocks // _GROUP_BLOCKS)
    reserve = first * _GROWTH // _GROUP_BLOCKS // _DESCRIPTORS_PER_BLOCK - 1
    descriptors = -(-groups // _DESCRIPTORS_PER_BLOCK)
    copies = sum(1 for group in range(groups) if _has_superblock(group))
    overhead = copies * (1 + descriptors + max(0, reserve)) + 2 * groups
    overhead += blocks * _BLOCK // _BYTES_PER_INODE * _INODE // _BLOCK
    overhead += next((size for limit, size in _JOURNALS if first < limit), _LARGEST_JOURNAL)
    return max(0, blocks - overhead) * _BLOCK


def _has_superblock(group: int) -> bool:
    if group in (0, 1):
        return True
    for base in (3, 5, 7):
        power = base
        while power < group:
            power *= base
        if power == group:
            return True
    return False
