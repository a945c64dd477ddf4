"""Several workers that train one model: who they are, how they talk, what they agree on."""
