"""Which operators and operator sets TensorRT takes, and since when.

By docs/operators.md of onnx-tensorrt as each release has it, 8.0 to 10.1 and 10.15
(https://github.com/onnx/onnx-tensorrt/blob/main/docs/operators.md), its docs/Changelog.md for 10.4 and 10.5,
and for 11 NVIDIA's "ONNX Opset Guide"
(https://docs.nvidia.com/deeplearning/tensorrt/latest/reference/onnx-opset-guide.html). Releases before 8.0
are not told apart from it, nor those from 10.2 to 10.14 from 10.15 in what no list but that one has.
"""

from __future__ import annotations

OLDEST, NEWEST_LIST = "8.0", "10.15"
OPSETS = {13: "8.0", 17: "8.4", 19: "9.0", 20: "10.0", 24: "10.15", 25: "11.0"}
"""The newest operator set of a release, where one came that takes a newer one."""
_OPERATORS = """
8.0 Abs Acos Acosh Add And ArgMax ArgMin Asin Asinh Atan Atanh AveragePool BatchNormalization Cast Ceil
8.0 Celu Clip Concat Constant ConstantOfShape Conv ConvTranspose Cos Cosh CumSum DepthToSpace
8.0 DequantizeLinear Div Dropout Elu Equal Erf Exp Expand EyeLike Flatten Floor GRU Gather
8.0 GatherElements Gemm GlobalAveragePool GlobalLpPool GlobalMaxPool Greater GreaterOrEqual HardSigmoid
8.0 Identity If ImageScaler InstanceNormalization LRN LSTM LeakyRelu Less LessOrEqual Log LogSoftmax
8.0 Loop LpNormalization LpPool MatMul Max MaxPool Mean Min Mul Neg NonMaxSuppression Not Or PRelu Pad
8.0 ParametricSoftplus Pow QuantizeLinear RNN RandomUniform RandomUniformLike Range ReduceL1 ReduceL2
8.0 ReduceLogSum ReduceLogSumExp ReduceMax ReduceMean ReduceMin ReduceProd ReduceSum ReduceSumSquare
8.0 Relu Reshape Resize ReverseSequence ScaledTanh Scan Selu Shape Sigmoid Sin Sinh Size Slice Softmax
8.0 Softplus Softsign SpaceToDepth Split Sqrt Squeeze Sub Sum Tan Tanh ThresholdedRelu Tile TopK
8.0 Transpose Unsqueeze Upsample Where
8.2 Einsum GatherND IsNaN Round Scatter ScatterElements ScatterND Sign
8.4 HardSwish RandomNormal RandomNormalLike Reciprocal Shrink Xor
8.5 GridSample MeanVarianceNormalization Mod NonZero OneHot RoiAlign Trilu
8.6 GroupNormalization IsInf LayerNormalization
9.2 CastLike Hardmax
10.0 Gelu Mish
10.1 DeformConv
10.4 BlackmanWindow HammingWindow HannWindow
10.5 STFT
10.15 Attention RMSNormalization RotaryEmbedding TensorScatter
"""
OPERATORS = {
    name: release
    for release, *names in (line.split() for line in _OPERATORS.split("\n") if line)
    for name in names
}
"""The first release with the operator."""
_NOT_TAKEN = """
AffineGrid Bernoulli BitShift BitwiseAnd BitwiseNot BitwiseOr BitwiseXor CenterCropPad Col2Im Compress
ConcatFromSequence ConvInteger DFT Det DynamicQuantizeLinear ImageDecoder MatMulInteger MaxRoiPool
MaxUnpool MelWeightMatrix Multinomial NegativeLogLikelihoodLoss Optional OptionalGetElement
OptionalHasElement QLinearConv QLinearMatMul RegexFullMatch SequenceAt SequenceConstruct SequenceEmpty
SequenceErase SequenceInsert SequenceLength SequenceMap SoftmaxCrossEntropyLoss SplitToSequence
StringConcat StringNormalizer StringSplit TfIdfVectorizer Unique
"""
NOT_TAKEN = frozenset(_NOT_TAKEN.split())
"""The rows that say N in the list of NEWEST_LIST."""
