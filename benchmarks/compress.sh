#!/usr/bin/env bash
# base -> half of the MACs -> QAT int8 -> TFLite and ONNX, on Fashion-MNIST, as the README tells it.
#
#     bash benchmarks/compress.sh [FOLDER]        (an hour and a half on 2 cores; compress.log has
#                                                what its commands printed, one after the other)
#
# The base is the bundled ResNet-20; calibration/README.md says how it was trained.
set -euo pipefail

folder=${1:-compressed}
bundled=$(cd "$(dirname "$0")/../calibration" && pwd)
mkdir -p "$folder"
cp "$bundled"/resnet20_fashion_mnist.{keras,json} "$bundled/fashion_mnist_calibration.npz" "$folder/"
cd "$folder"

run() {
  printf '$ %s\n' "$*"
  "$@" 2>&1
}

run resnet-edge prune resnet20_fashion_mnist.keras --method channel --remove-blocks 4 --amount 0.5 \
  --data fashion-mnist --validation 0.02 --epochs 60 --learning-rate 0.1 \
  --teacher resnet20_fashion_mnist.keras --teacher-weight 0.9 --precision mixed_bfloat16 --seed 1 \
  --out half.keras
run resnet-edge qat half.keras --data fashion-mnist --validation 0.02 --epochs 5 \
  --teacher resnet20_fashion_mnist.keras --learning-rate 0.001 --seed 1 --out half_qat.keras
# The base without pruning, too: what int8 costs it with and without training.
run resnet-edge qat resnet20_fashion_mnist.keras --data fashion-mnist --validation 0.02 --epochs 5 \
  --teacher resnet20_fashion_mnist.keras --learning-rate 0.001 --seed 1 --out qat.keras
for model in resnet20_fashion_mnist half half_qat qat; do
  run resnet-edge convert "$model.keras" --data fashion-mnist \
    --calibration fashion_mnist_calibration.npz --schemes fp32,int8 --out "${model}_dist"
done
run resnet-edge bench ./*_dist/*.int8.* --budget 60s
