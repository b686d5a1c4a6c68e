// Runs the golden images of the bundle through its model files on a device, and says what is off.
//
// Put samples/kotlin/*.kt beside the app's code, this file into src/androidTest, and preprocessing.json with the
// folders golden, @FOLDERS@ into src/androidTest/assets. Or push the bundle to the device, and
// name it:
//
//   adb shell am instrument -w -e bundle /data/local/tmp/bundle APP.test/androidx.test.runner.AndroidJUnitRunner
//
// On an accelerator of LiteRT in place of the CPU: -e accelerator GPU // @tflite
package resnetedge

import android.util.Log
import androidx.test.ext.junit.runners.AndroidJUnit4
import androidx.test.platform.app.InstrumentationRegistry
import com.google.ai.edge.litert.Accelerator // @tflite
import java.io.File
import java.io.FileNotFoundException
import org.junit.Assert.assertEquals
import org.junit.Assert.assertTrue
import org.junit.Test
import org.junit.runner.RunWith

@RunWith(AndroidJUnit4::class)
class GoldenTest {
    private val context = InstrumentationRegistry.getInstrumentation().context
    private val words = InstrumentationRegistry.getArguments()
    private val folder: String? = words.getString("bundle")
    private val place = Place(::bytes, ::decode)

    private fun bytes(path: String): ByteArray? = try {
        if (folder != null) File(folder, path).readBytes() else context.assets.open(path).use { it.readBytes() }
    } catch (_: FileNotFoundException) {
        null
    }

    private fun text(path: String) =
        checkNotNull(bytes(path)) { "FAILED: $path cannot be read: copy it again" }.decodeToString()

    /** What opens a file: one for each runtime. */
    private fun openers(file: GoldenFile, content: ByteArray): List<() -> Model> = buildList {
        val path = folder?.let { "$it/${file.path}" } // @tflite
        val wanted = listOf(Accelerator.valueOf(words.getString("accelerator", "CPU"))) // @tflite
        if (file.path.endsWith(".tflite")) add { LiteRtModel(context, file, path, wanted, precise = true) } // @tflite
        if (file.path.startsWith("android-tasks/")) add { TasksModel(context, file, content) } // @android_tasks
        if (file.path.endsWith(".onnx")) add { OrtModel(file, content) } // @onnx
    }

    @Test
    fun goldenImagesGiveWhatTheyMust() {
        val golden = goldenOf(text("golden/golden.json"))
        val how = contractOf(text("preprocessing.json"))
        var compared = 0
        val failed = mutableListOf<String>()
        for (file in golden.files) {
            val content = bytes(file.path)
            if (content == null) {
                Log.i(TAG, "skipped ${file.path}: it is not in this app")
                continue
            }
            for (open in openers(file, content)) {
                failed += open().use { model -> tested(golden, file, how, model) }
                compared++
            }
        }
        assertTrue("FAILED: no file could be opened: nothing was compared", compared > 0)
        assertEquals("", failed.joinToString("\n"))
    }

    private fun tested(golden: Golden, file: GoldenFile, how: Contract, model: Model): List<String> {
        val wrong = complaints(place, golden, file, how, model)
        val verdict = if (wrong.isEmpty()) "passed" else "FAILED"
        val line = "$verdict ${file.path} on ${model.runtime} (${model.device}): ${golden.images.size} images"
        Log.i(TAG, line)
        return if (wrong.isEmpty()) emptyList() else listOf(line) + wrong.map { "  $it" }
    }

    private companion object {
        const val TAG = "GoldenTest"
    }
}
