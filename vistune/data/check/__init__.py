"""`vistune data check`: what is wrong with data, found before a GPU is paid for."""
