"""Which sample is seen when, by whom: mixtures, permutations, shards over ranks, worker processes, prefetching."""
