// An .onnx file in ONNX Runtime.
//
//   @ORT@
//
//   val content = context.assets.open("@FILE@").use { it.readBytes() }
//   OrtModel(golden.file("@FILE@"), content).use { model -> classify(photo, golden, file, how, model) }
package resnetedge

import ai.onnxruntime.OnnxJavaType
import ai.onnxruntime.OnnxTensor
import ai.onnxruntime.OrtEnvironment
import ai.onnxruntime.OrtSession
import java.nio.ByteBuffer
import java.nio.ByteOrder

class OrtModel(private val file: GoldenFile, content: ByteArray) : Model {
    override val runtime = "onnxruntime"
    override val device = "CPU"

    private val environment = OrtEnvironment.getEnvironment()
    private val session = environment.createSession(content)

    override fun run(tensor: ByteArray): FloatArray = inputOf(tensor).use { input ->
        session.run(mapOf(session.inputNames.first() to input)).use { result ->
            val buffer = (result[0] as OnnxTensor).byteBuffer.order(ByteOrder.nativeOrder())
            real(ByteArray(buffer.remaining()).also(buffer::get), file.output)
        }
    }

    private fun inputOf(tensor: ByteArray): OnnxTensor {
        val shape = file.input.shape.map(Int::toLong).toLongArray()
        val bytes = ByteBuffer.allocateDirect(tensor.size).order(ByteOrder.LITTLE_ENDIAN).put(tensor).apply { rewind() }
        val type = when (file.input.dtype) {
            "float32" -> OnnxJavaType.FLOAT
            "int8" -> OnnxJavaType.INT8
            else -> OnnxJavaType.UINT8
        }
        return OnnxTensor.createTensor(environment, bytes, shape, type)
    }

    override fun close() = session.close() // the environment is one for the whole process
}
