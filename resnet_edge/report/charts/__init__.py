"""Charts as SVG: what each shows (accuracy_latency, bench_chart, bench_layers), and how it is drawn."""
