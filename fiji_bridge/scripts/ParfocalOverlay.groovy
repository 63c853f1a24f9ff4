import ij.ImagePlus
import ij.gui.Overlay
import ij.gui.Roi
import ij.gui.TextRoi
import java.awt.Color
import java.awt.Font

/** Patches over an image: a border's colour is the level, its lightness the certainty, as the worker says. */
class ParfocalOverlay {
    /** Names what is ours among the elements of an overlay. */
    private static final String OURS = 'parfocal'
    /** Boxes of the legend are this share of the image's width. */
    private static final double BOX_SHARE = 1 / 36d, SMALLEST_BOX_PX = 3

    /** Draw the patches of answers; those of an earlier call are replaced, what others drew is kept. */
    static void show(ImagePlus image, List answers) {
        Overlay overlay = image.overlay ?: new Overlay()
        overlay.toArray().findAll { it.getProperty(OURS) != null }.each { overlay.remove(it) }
        List parts = []
        answers.each { answer ->
            answer.outputs.patches.eachWithIndex { patches, index ->
                if (patches) parts.addAll(bordersOf(image, answer.places[index], patches))
            }
        }
        if (parts) parts.addAll(legend(image.width, answers[0].outputs.level_rgb))
        parts.each {
            it.setProperty(OURS, 'focus')
            overlay.add(it)
        }
        image.overlay = overlay
        image.hideOverlay = false
    }

    private static List<Roi> bordersOf(ImagePlus image, place, Map patches) {
        double width = patches.border_px, inner = patches.size_px - width
        return (0..<patches.corners_yx.size()).collect { index ->
            def (y, x) = patches.corners_yx[index]
            Roi roi = new Roi((x + width / 2) as double, (y + width / 2) as double, inner, inner)
            roi.strokeColor = colorOf(patches.rgb[index])
            roi.strokeWidth = width as float
            roi.name = String.format(Locale.ROOT, 'level %.1f, certainty %.2f', patches.defocus_level[index] as double, patches.certainty[index] as double)
            if (image.hyperStack) roi.setPosition(place.channel, place.slice, place.frame)
            else if (image.stackSize > 1) roi.setPosition(image.getStackIndex(place.channel, place.slice, place.frame))
            return roi
        }
    }

    /** A box for each level from sharp to worst, and what they mean. */
    private static List<Roi> legend(int imageWidth, List colors) {
        double box = Math.max(SMALLEST_BOX_PX, imageWidth * BOX_SHARE)
        Roi back = new Roi(0d, 0d, (colors.size() + 3) * box, 4.4 * box as double)
        back.fillColor = Color.BLACK
        List parts = [back]
        colors.eachWithIndex { rgb, level ->
            Roi part = new Roi((level + 0.5) * box as double, 0.5 * box as double, box, box)
            part.fillColor = colorOf(rgb)
            parts << part
        }
        Font font = new Font('SansSerif', Font.PLAIN, Math.max(1, Math.round(0.85 * box) as int))
        ["level 0 sharp to ${colors.size() - 1} worst", 'the darker, the less certain'].eachWithIndex { words, line ->
            Roi part = new TextRoi(0.5 * box as double, (1.7 + 1.2 * line) * box as double, words as String, font)
            part.strokeColor = Color.WHITE
            parts << part
        }
        parts.each { it.name = 'legend' }
        return parts
    }

    private static Color colorOf(List rgb) { new Color(rgb[0] as int, rgb[1] as int, rgb[2] as int) }
}
