// A .tflite file in LiteRT's CompiledModel, on the NPU, the GPU or the CPU.
//
//   @LITERT@
//   @LITERTGPU@   (for the GPU)
//
//   val golden = goldenOf(text("golden/golden.json"))
//   LiteRtModel(context, golden.file("@FILE@")).use { model ->
//       Log.i(TAG, "on ${model.device}: ${classify(photo, golden, file, how, model)}")
//   }
//   // @float
//   // On the GPU, or else the CPU: // @float
//   LiteRtModel(context, golden.file("@FLOAT@"), wanted = listOf(Accelerator.GPU, Accelerator.CPU)) // @float
package resnetedge

import android.content.Context
import android.util.Log
import com.google.ai.edge.litert.Accelerator
import com.google.ai.edge.litert.BuiltinNpuAcceleratorProvider
import com.google.ai.edge.litert.CompiledModel
import com.google.ai.edge.litert.CompiledModel.GpuOptions
import com.google.ai.edge.litert.Environment
import com.google.ai.edge.litert.LiteRtException
import java.nio.ByteBuffer
import java.nio.ByteOrder

/**
 * The file at `path`, else the one in the app's assets, on the first of the `wanted` accelerators that takes it;
 * `accelerator` tells which that is.
 *
 * The CPU alone by default: with it the file was proved. The GPU wants the fp32 or fp16 file, because LiteRT 2.3's
 * GPU computes strided 1 x 1 convolutions with int8 weights wrongly, without an error. It computes in 16 bits, and
 * so is further off than CPUs are, unless `precise`: the self-test asks for that. Run it on every accelerator that
 * you ask for.
 */
class LiteRtModel(
    private val context: Context,
    private val file: GoldenFile,
    private val path: String? = null,
    wanted: List<Accelerator> = listOf(Accelerator.CPU),
    private val precise: Boolean = false,
) : Model {
    private val environment = Environment.create(context, BuiltinNpuAcceleratorProvider(context))
    private val compiled: Pair<Accelerator, CompiledModel> = firstThatTakesIt(wanted)
    private val inputs = compiled.second.createInputBuffers()
    private val outputs = compiled.second.createOutputBuffers()

    val accelerator: Accelerator = compiled.first
    override val device: String = accelerator.name
    override val runtime: String = if (accelerator == Accelerator.CPU) "litert" else "litert_${device.lowercase()}"

    /** Asked for alone, the GPU must take every operation, else LiteRT throws: nothing falls back in silence. To
     * the NPU, LiteRT 2.3 adds the CPU by itself, and does not tell what that computes. */
    private fun firstThatTakesIt(wanted: List<Accelerator>): Pair<Accelerator, CompiledModel> {
        val there = environment.getAvailableAccelerators()
        for (accelerator in wanted) {
            if (accelerator != Accelerator.CPU && accelerator !in there) {
                Log.w(TAG, "${file.path}: this device has no $accelerator for LiteRT; trying the next")
                continue
            }
            try {
                return accelerator to compile(accelerator).also { Log.i(TAG, "${file.path} runs on $accelerator") }
            } catch (error: LiteRtException) {
                Log.w(TAG, "${file.path}: $accelerator does not take it: ${error.message}; trying the next")
            }
        }
        environment.close()
        error("${file.path}: none of $wanted takes it")
    }

    private fun compile(accelerator: Accelerator): CompiledModel {
        val options = CompiledModel.Options(accelerator)
        if (precise) options.gpuOptions = GpuOptions(precision = GpuOptions.Precision.FP32)
        return if (path != null) CompiledModel.create(path, options, environment)
        else CompiledModel.create(context.assets, file.path, options, environment)
    }

    override fun run(tensor: ByteArray): FloatArray {
        if (file.input.dtype == "float32") {
            val floats = ByteBuffer.wrap(tensor).order(ByteOrder.LITTLE_ENDIAN).asFloatBuffer()
            inputs[0].writeFloat(FloatArray(floats.remaining()).also(floats::get))
        } else {
            inputs[0].writeInt8(tensor) // uint8 too: it copies the bytes
        }
        compiled.second.run(inputs, outputs)
        return if (file.output.dtype == "float32") outputs[0].readFloat() else real(outputs[0].readInt8(), file.output)
    }

    override fun close() {
        (inputs + outputs).forEach { it.close() }
        compiled.second.close()
        environment.close()
    }

    private companion object {
        const val TAG = "LiteRtModel"
    }
}
