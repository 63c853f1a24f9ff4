import ij.ImagePlus
import ij.gui.Overlay
import ij.gui.Roi
import java.awt.Color

/** Patches over an image: a border's colour is the level, its lightness the certainty, as the worker says. */
class ParfocalOverlay {
    /** Names what is ours among the elements of an overlay. */
    private static final String OURS = 'parfocal'

    /** Draw the patches of answers; those of an earlier call are replaced, what others drew is kept. */
    static void show(ImagePlus image, List answers) {
        Overlay overlay = image.overlay ?: new Overlay()
        overlay.toArray().findAll { it.getProperty(OURS) != null }.each { overlay.remove(it) }
        answers.each { answer ->
            answer.outputs.patches.eachWithIndex { patches, index ->
                if (patches) bordersOf(image, answer.places[index], patches).each { overlay.add(it) }
            }
        }
        image.overlay = overlay
        image.hideOverlay = false
    }

    private static List<Roi> bordersOf(ImagePlus image, place, Map patches) {
        double width = patches.border_px, inner = patches.size_px - width
        return (0..<patches.corners_yx.size()).collect { index ->
            def (y, x) = patches.corners_yx[index]
            Roi roi = new Roi(x + width / 2d as double, y + width / 2d as double, inner, inner)
            roi.strokeColor = new Color(*(patches.rgb[index]*.intValue()))
            roi.strokeWidth = width as float
            roi.name = String.format('level %.1f, certainty %.2f', patches.defocus_level[index] as double, patches.certainty[index] as double)
            roi.setProperty(OURS, 'focus')
            if (image.hyperStack) roi.setPosition(place.channel, place.slice, place.frame)
            else if (image.stackSize > 1) roi.setPosition(image.getStackIndex(place.channel, place.slice, place.frame))
            return roi
        }
    }
}
