"""Before the first step: a run is claimed, its data looked at, its start found."""
