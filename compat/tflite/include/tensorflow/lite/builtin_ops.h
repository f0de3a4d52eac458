/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TENSORFLOW_LITE_BUILTIN_OPS_H_
#define TENSORFLOW_LITE_BUILTIN_OPS_H_

/* The numbers that a .tflite file has for operators, in the schema's order and without gaps. */

#ifdef __cplusplus
extern "C" {
#endif

typedef enum {
  kTfLiteBuiltinAdd = 0, kTfLiteBuiltinAveragePool2d, kTfLiteBuiltinConcatenation, kTfLiteBuiltinConv2d,
  kTfLiteBuiltinDepthwiseConv2d, kTfLiteBuiltinDepthToSpace, kTfLiteBuiltinDequantize,
  kTfLiteBuiltinEmbeddingLookup, kTfLiteBuiltinFloor, kTfLiteBuiltinFullyConnected, kTfLiteBuiltinHashtableLookup,
  kTfLiteBuiltinL2Normalization, kTfLiteBuiltinL2Pool2d, kTfLiteBuiltinLocalResponseNormalization,
  kTfLiteBuiltinLogistic, kTfLiteBuiltinLshProjection, kTfLiteBuiltinLstm, kTfLiteBuiltinMaxPool2d,
  kTfLiteBuiltinMul, kTfLiteBuiltinRelu, kTfLiteBuiltinReluN1To1, kTfLiteBuiltinRelu6, kTfLiteBuiltinReshape,
  kTfLiteBuiltinResizeBilinear, kTfLiteBuiltinRnn, kTfLiteBuiltinSoftmax, kTfLiteBuiltinSpaceToDepth,
  kTfLiteBuiltinSvdf, kTfLiteBuiltinTanh, kTfLiteBuiltinConcatEmbeddings, kTfLiteBuiltinSkipGram,
  kTfLiteBuiltinCall, kTfLiteBuiltinCustom, kTfLiteBuiltinEmbeddingLookupSparse, kTfLiteBuiltinPad,
  kTfLiteBuiltinUnidirectionalSequenceRnn, kTfLiteBuiltinGather, kTfLiteBuiltinBatchToSpaceNd,
  kTfLiteBuiltinSpaceToBatchNd, kTfLiteBuiltinTranspose, kTfLiteBuiltinMean, kTfLiteBuiltinSub, kTfLiteBuiltinDiv,
  kTfLiteBuiltinSqueeze, kTfLiteBuiltinUnidirectionalSequenceLstm, kTfLiteBuiltinStridedSlice,
  kTfLiteBuiltinBidirectionalSequenceRnn, kTfLiteBuiltinExp, kTfLiteBuiltinTopkV2, kTfLiteBuiltinSplit,
  kTfLiteBuiltinLogSoftmax, kTfLiteBuiltinDelegate, kTfLiteBuiltinBidirectionalSequenceLstm, kTfLiteBuiltinCast,
  kTfLiteBuiltinPrelu, kTfLiteBuiltinMaximum, kTfLiteBuiltinArgMax, kTfLiteBuiltinMinimum, kTfLiteBuiltinLess,
  kTfLiteBuiltinNeg, kTfLiteBuiltinPadv2, kTfLiteBuiltinGreater, kTfLiteBuiltinGreaterEqual,
  kTfLiteBuiltinLessEqual, kTfLiteBuiltinSelect, kTfLiteBuiltinSlice, kTfLiteBuiltinSin,
  kTfLiteBuiltinTransposeConv, kTfLiteBuiltinSparseToDense, kTfLiteBuiltinTile, kTfLiteBuiltinExpandDims,
  kTfLiteBuiltinEqual, kTfLiteBuiltinNotEqual, kTfLiteBuiltinLog, kTfLiteBuiltinSum, kTfLiteBuiltinSqrt,
  kTfLiteBuiltinRsqrt, kTfLiteBuiltinShape, kTfLiteBuiltinPow, kTfLiteBuiltinArgMin, kTfLiteBuiltinFakeQuant,
  kTfLiteBuiltinReduceProd, kTfLiteBuiltinReduceMax, kTfLiteBuiltinPack, kTfLiteBuiltinLogicalOr,
  kTfLiteBuiltinOneHot, kTfLiteBuiltinLogicalAnd, kTfLiteBuiltinLogicalNot, kTfLiteBuiltinUnpack,
  kTfLiteBuiltinReduceMin, kTfLiteBuiltinFloorDiv, kTfLiteBuiltinReduceAny, kTfLiteBuiltinSquare,
  kTfLiteBuiltinZerosLike, kTfLiteBuiltinFill, kTfLiteBuiltinFloorMod, kTfLiteBuiltinRange,
  kTfLiteBuiltinResizeNearestNeighbor, kTfLiteBuiltinLeakyRelu, kTfLiteBuiltinSquaredDifference,
  kTfLiteBuiltinMirrorPad, kTfLiteBuiltinAbs, kTfLiteBuiltinSplitV, kTfLiteBuiltinUnique, kTfLiteBuiltinCeil,
  kTfLiteBuiltinReverseV2, kTfLiteBuiltinAddN, kTfLiteBuiltinGatherNd, kTfLiteBuiltinCos, kTfLiteBuiltinWhere,
  kTfLiteBuiltinRank, kTfLiteBuiltinElu, kTfLiteBuiltinReverseSequence, kTfLiteBuiltinMatrixDiag,
  kTfLiteBuiltinQuantize, kTfLiteBuiltinMatrixSetDiag, kTfLiteBuiltinRound, kTfLiteBuiltinHardSwish,
  kTfLiteBuiltinIf, kTfLiteBuiltinWhile, kTfLiteBuiltinNonMaxSuppressionV4, kTfLiteBuiltinNonMaxSuppressionV5,
  kTfLiteBuiltinScatterNd, kTfLiteBuiltinSelectV2, kTfLiteBuiltinDensify, kTfLiteBuiltinSegmentSum,
  kTfLiteBuiltinBatchMatmul, kTfLiteBuiltinPlaceholderForGreaterOpCodes, kTfLiteBuiltinCumsum,
  kTfLiteBuiltinCallOnce, kTfLiteBuiltinBroadcastTo, kTfLiteBuiltinRfft2d, kTfLiteBuiltinConv3d, kTfLiteBuiltinImag,
  kTfLiteBuiltinReal, kTfLiteBuiltinComplexAbs, kTfLiteBuiltinHashtable, kTfLiteBuiltinHashtableFind,
  kTfLiteBuiltinHashtableImport, kTfLiteBuiltinHashtableSize, kTfLiteBuiltinReduceAll,
  kTfLiteBuiltinConv3dTranspose, kTfLiteBuiltinVarHandle, kTfLiteBuiltinReadVariable, kTfLiteBuiltinAssignVariable,
  kTfLiteBuiltinBroadcastArgs, kTfLiteBuiltinRandomStandardNormal, kTfLiteBuiltinBucketize,
  kTfLiteBuiltinRandomUniform, kTfLiteBuiltinMultinomial, kTfLiteBuiltinGelu, kTfLiteBuiltinDynamicUpdateSlice,
  kTfLiteBuiltinRelu0To1, kTfLiteBuiltinUnsortedSegmentProd, kTfLiteBuiltinUnsortedSegmentMax,
  kTfLiteBuiltinUnsortedSegmentSum, kTfLiteBuiltinAtan2, kTfLiteBuiltinUnsortedSegmentMin, kTfLiteBuiltinSign,
  kTfLiteBuiltinBitcast, kTfLiteBuiltinBitwiseXor, kTfLiteBuiltinRightShift, kTfLiteBuiltinStablehloLogistic,
  kTfLiteBuiltinStablehloAdd, kTfLiteBuiltinStablehloDivide, kTfLiteBuiltinStablehloMultiply,
  kTfLiteBuiltinStablehloMaximum, kTfLiteBuiltinStablehloReshape, kTfLiteBuiltinStablehloClamp,
  kTfLiteBuiltinStablehloConcatenate, kTfLiteBuiltinStablehloBroadcastInDim, kTfLiteBuiltinStablehloConvolution,
  kTfLiteBuiltinStablehloSlice, kTfLiteBuiltinStablehloCustomCall, kTfLiteBuiltinStablehloReduce,
  kTfLiteBuiltinStablehloAbs, kTfLiteBuiltinStablehloAnd, kTfLiteBuiltinStablehloCosine,
  kTfLiteBuiltinStablehloExponential, kTfLiteBuiltinStablehloFloor, kTfLiteBuiltinStablehloLog,
  kTfLiteBuiltinStablehloMinimum, kTfLiteBuiltinStablehloNegate, kTfLiteBuiltinStablehloOr,
  kTfLiteBuiltinStablehloPower, kTfLiteBuiltinStablehloRemainder, kTfLiteBuiltinStablehloRsqrt,
  kTfLiteBuiltinStablehloSelect, kTfLiteBuiltinStablehloSubtract, kTfLiteBuiltinStablehloTanh,
  kTfLiteBuiltinStablehloScatter, kTfLiteBuiltinStablehloCompare, kTfLiteBuiltinStablehloConvert,
  kTfLiteBuiltinStablehloDynamicSlice, kTfLiteBuiltinStablehloDynamicUpdateSlice, kTfLiteBuiltinStablehloPad,
  kTfLiteBuiltinStablehloIota, kTfLiteBuiltinStablehloDotGeneral, kTfLiteBuiltinStablehloReduceWindow,
  kTfLiteBuiltinStablehloSort, kTfLiteBuiltinStablehloWhile, kTfLiteBuiltinStablehloGather,
  kTfLiteBuiltinStablehloTranspose, kTfLiteBuiltinDilate, kTfLiteBuiltinStablehloRngBitGenerator,
  kTfLiteBuiltinReduceWindow,
} TfLiteBuiltinOperator;

#ifdef __cplusplus
}
#endif
#endif
