"""`convert`: a Keras model to artifacts that are proved and timed.

`convert` is the order of the steps, `plan` says what to make, `build` makes it, `evaluate` proves it, and
`mixed_precision` leaves layers in float where plain int8 loses too much."""
