import groovy.transform.CompileStatic
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
                if (patches) parts.addAll(at(image, answer.places[index], bordersOf(patches as Map)))
            }
        }
        if (parts) parts.addAll(legend(image.width, answers[0].outputs.level_rgb))
        add(overlay, parts as List<Roi>)
        image.overlay = overlay
        image.hideOverlay = false
    }

    /** There are many patches: types make this fast. */
    @CompileStatic
    private static List<Roi> bordersOf(Map patches) {
        double width = patches.border_px as double, inner = (patches.size_px as double) - width
        List<List<Number>> corners = (List<List<Number>>) patches.corners_yx, colors = (List<List<Number>>) patches.rgb
        List<Number> levels = (List<Number>) patches.defocus_level, certainties = (List<Number>) patches.certainty
        List<Roi> borders = []
        for (int index = 0; index < corners.size(); index++) {
            List<Number> corner = corners[index]
            Roi roi = new Roi(corner[1].doubleValue() + width / 2d, corner[0].doubleValue() + width / 2d, inner, inner)
            roi.strokeColor = colorOf(colors[index])
            roi.strokeWidth = (float) width
            roi.name = String.format(Locale.ROOT, 'level %.1f, certainty %.2f', levels[index].doubleValue(), certainties[index].doubleValue())
            borders.add(roi)
        }
        return borders
    }

    /** ROIs that belong to a plane of a stack. */
    private static List<Roi> at(ImagePlus image, place, List<Roi> rois) {
        if (image.hyperStack) rois.each { it.setPosition(place.channel, place.slice, place.frame) }
        else if (image.stackSize > 1) rois.each { it.setPosition(image.getStackIndex(place.channel, place.slice, place.frame)) }
        return rois
    }

    @CompileStatic
    private static void add(Overlay overlay, List<Roi> parts) {
        for (Roi part : parts) {
            part.setProperty(OURS, 'focus')
            overlay.add(part)
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

    @CompileStatic
    private static Color colorOf(List<Number> rgb) { new Color(rgb[0].intValue(), rgb[1].intValue(), rgb[2].intValue()) }
}
