"""Scripts that tests run in processes of their own are not imported by pytest."""

collect_ignore = [
    "claims_in_jax.py",
    "claims_in_keras.py",
    "claims_on_two_hosts.py",
]
