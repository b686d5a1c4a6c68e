// The golden vectors for Android's Acceleration Service, which tries the GPU in a process of its own, so that a
// driver that crashes or computes wrongly does not do so in the app.
//
//   @ACCELERATION@
//
// It is a beta of 2023 that "may be shut down" (ai.google.dev/edge/litert/android/acceleration_service, read in
// November 2026: no notice that it is deprecated), knows the CPU and the GPU, and serves the Interpreter of
// play-services-tflite-java. Its successor play-services-litert 17 runs an Interpreter on the CPU alone, and
// chooses the GPU through CompiledModel (LiteRtModel.kt), where nothing validates: there, run the self-test.
package resnetedge

import android.content.Context
import com.google.android.gms.tasks.Task
import com.google.android.gms.tflite.acceleration.AccelerationService
import com.google.android.gms.tflite.acceleration.CustomValidationConfig
import com.google.android.gms.tflite.acceleration.GpuAccelerationConfig
import com.google.android.gms.tflite.acceleration.Model as AccelerationModel
import com.google.android.gms.tflite.acceleration.ValidatedAccelerationConfigResult
import com.google.android.gms.tflite.acceleration.ValidationConfig
import java.nio.ByteBuffer
import java.nio.ByteOrder
import java.nio.MappedByteBuffer

/**
 * What a file must give on the device: golden/acceleration/FILE/inputs.bin holds the tensors of golden images back
 * to back, outputs.bin those of their scores.
 *
 * `allowed` is what CPUs differ by. A GPU that computes in 16 bits is further off: measure how far, and allow that.
 * The best answer must be the same whatever is allowed.
 */
fun validationConfig(place: Place, file: GoldenFile, allowed: Double = file.tolerance("default")): ValidationConfig {
    val folder = "golden/acceleration/" + file.path.removeSuffix(".tflite")
    val (inputs, outputs) = listOf("inputs", "outputs").map { name ->
        direct(checkNotNull(place.bytes("$folder/$name.bin")) { "$folder/$name.bin is missing: copy it again" })
    }
    return CustomValidationConfig.Builder()
        .setBatchSize(rows(outputs, file).size)
        .setGoldenInputs(inputs)
        .setGoldenOutputs(outputs)
        .setAccuracyValidator { result, golden ->
            val found = rows(result.actualOutput()[0].value, file)
            val wanted = rows(golden[0], file)
            found.size == wanted.size && found.indices.all { scoresOff(found[it], wanted[it], allowed) == null }
        }
        .build()
}

/** Whether the GPU gives what it must: isValid, and benchmarkResult().hasPassedAccuracyCheck(). */
fun gpuValidated(
    context: Context, place: Place, file: GoldenFile, content: MappedByteBuffer, allowed: Double,
): Task<ValidatedAccelerationConfigResult> {
    val model = AccelerationModel.Builder()
        .setModelNamespace(context.packageName)
        .setModelId(file.sha256)
        .setModelLocation(AccelerationModel.ModelLocation.fromByteBuffer(content))
        .build()
    val gpu = GpuAccelerationConfig.Builder().setEnableQuantizedInference(false).build()
    return AccelerationService.create(context).validateConfig(model, gpu, validationConfig(place, file, allowed))
}

private fun rows(tensors: ByteBuffer, file: GoldenFile): List<FloatArray> {
    val bytes = tensors.duplicate().apply { rewind() }
    val scores = real(ByteArray(bytes.remaining()).also(bytes::get), file.output)
    return scores.toList().chunked(file.output.shape[1]) { it.toFloatArray() }
}

private fun direct(content: ByteArray): ByteBuffer =
    ByteBuffer.allocateDirect(content.size).order(ByteOrder.nativeOrder()).put(content).apply { rewind() }
