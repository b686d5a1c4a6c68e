#!/usr/bin/env bash
# base -> half of the MACs -> QAT int8 -> TFLite and ONNX, on Fashion-MNIST, as the README tells it.
#
#     bash benchmarks/compress.sh [FOLDER]        (about an hour on 2 cores; compress.log is one run)
#
# The base is the bundled ResNet-20; calibration/README.md says how it was trained.
set -euo pipefail

folder=${1:-compressed}
base=$(cd "$(dirname "$0")/.." && pwd)/calibration/resnet20_fashion_mnist.keras
mkdir -p "$folder"
cp "$base" "${base%.keras}.json" "$folder/"
cd "$folder"

run() {
  printf '$ %s\n' "$*"
  "$@" 2>&1
}

run resnet-edge prune resnet20_fashion_mnist.keras --method channel --amount 0.5 \
  --data fashion-mnist --validation 0.02 --epochs 30 --learning-rate 0.05 \
  --teacher resnet20_fashion_mnist.keras --precision mixed_bfloat16 --seed 1 --out half.keras
run resnet-edge qat half.keras --data fashion-mnist --validation 0.02 --epochs 4 \
  --teacher resnet20_fashion_mnist.keras --seed 1 --out half_qat.keras
run resnet-edge convert resnet20_fashion_mnist.keras --data fashion-mnist \
  --calibration "$(dirname "$base")/fashion_mnist_calibration.npz" --schemes fp32,int8 --out base_dist
run resnet-edge convert half.keras --data fashion-mnist \
  --calibration "$(dirname "$base")/fashion_mnist_calibration.npz" --schemes fp32,int8 --out half_dist
run resnet-edge convert half_qat.keras --data fashion-mnist \
  --calibration "$(dirname "$base")/fashion_mnist_calibration.npz" --schemes fp32,int8 --out half_qat_dist
