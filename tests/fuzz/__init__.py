"""Whatever comes in, nothing crashes: made inputs for every parser and every route, the same again by seed (`scripts/fuzz`)."""
