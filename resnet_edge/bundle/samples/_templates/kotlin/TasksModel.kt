// A file of android-tasks/ in MediaPipe Tasks, which has the labels inside.
//
//   @TASKS@
//
//   TasksModel(context, golden.file("@FILE@")).use { model -> classify(photo, golden, file, how, model) }
package resnetedge

import android.content.Context
import android.graphics.Bitmap
import com.google.mediapipe.framework.image.BitmapImageBuilder
import com.google.mediapipe.tasks.core.BaseOptions
import com.google.mediapipe.tasks.vision.core.RunningMode
import com.google.mediapipe.tasks.vision.imageclassifier.ImageClassifier
import java.nio.ByteBuffer
import java.nio.ByteOrder

/** The model `content`, else the file in the app's assets, on the CPU. */
class TasksModel(context: Context, private val file: GoldenFile, content: ByteArray? = null) : Model {
    override val runtime = "mediapipe"
    override val device = "CPU"

    private val classifier = ImageClassifier.createFromOptions(
        context,
        ImageClassifier.ImageClassifierOptions.builder()
            .setBaseOptions(
                if (content == null) BaseOptions.builder().setModelAssetPath(file.path).build()
                else BaseOptions.builder().setModelAssetBuffer(direct(content)).build(),
            )
            .setRunningMode(RunningMode.IMAGE)
            .build(),
    )

    /** The tensor holds pixels, and MediaPipe takes a bitmap of them. Of another size than the model's it would be
     * stretched without antialias, which is another picture. */
    override fun run(tensor: ByteArray): FloatArray {
        val image = BitmapImageBuilder(bitmapOf(tensor)).build()
        val found = classifier.classify(image).classificationResult().classifications()[0].categories()
        val scores = FloatArray(file.output.shape[1])
        for (category in found) scores[category.index()] = category.score()
        return scores
    }

    private fun bitmapOf(tensor: ByteArray): Bitmap {
        val floats = ByteBuffer.wrap(tensor).order(ByteOrder.LITTLE_ENDIAN)
        fun level(i: Int) = if (file.input.dtype == "float32") floats.getFloat(4 * i).toInt() else tensor[i].toInt() and 255
        val (_, height, width, _) = file.input.shape
        val colours = IntArray(height * width) {
            255 shl 24 or (level(3 * it) shl 16) or (level(3 * it + 1) shl 8) or level(3 * it + 2)
        }
        return Bitmap.createBitmap(colours, width, height, Bitmap.Config.ARGB_8888)
    }

    override fun close() = classifier.close()

    private companion object {
        fun direct(content: ByteArray): ByteBuffer = ByteBuffer.allocateDirect(content.size).put(content).apply { rewind() }
    }
}
