import groovy.transform.CompileStatic
import ij.IJ
import ij.ImageListener
import ij.ImagePlus
import ij.gui.DialogListener
import ij.gui.GenericDialog
import ij.gui.NonBlockingGenericDialog
import ij.gui.Overlay
import ij.gui.Roi
import ij.process.ColorProcessor
import java.awt.AWTEvent
import java.awt.Color
import java.awt.Component
import java.awt.Dimension
import java.awt.Label
import java.awt.event.MouseAdapter
import java.awt.event.MouseEvent

/** A slider that splits the planes of a stack while it moves, and marks them in the image, which can be worked with. */
@CompileStatic
class ParfocalThreshold implements DialogListener, ImageListener {
    static final String SHARP = 'sharp', DEFOCUSED = 'defocused', NO_ANSWER = 'no answer'
    /** Blue and red that colour-blind people tell apart, and grey, as core has them. */
    private static final Map<String, Color> COLORS = [(SHARP): new Color(33, 102, 172), (DEFOCUSED): new Color(214, 96, 77), (NO_ANSWER): new Color(170, 170, 170)]
    private static final Color LINE = new Color(40, 40, 40)
    private static final int HEIGHT = 128, WIDTH = 480
    /** A plane without defocus has a bar all the same, and a mark below it where it is shown, with a gap between. */
    private static final int LOWEST_BAR = 6, MARK = 5, GAP = 3
    /** Width of the frame around a plane, as a share of the shorter side of the image. */
    private static final double FRAME_SHARE = 1 / 60d, THINNEST_FRAME = 2
    private static final String HELP = "<html><div style='width: 400px'>A bar for each plane: the higher, the more probably defocused. Planes above the line are defocused. A click on a bar shows its plane, in the image the frame has the same colour. Split makes a stack of the sharp planes and one of the defocused; planes without an answer are in neither.</div></html>"

    private final ImagePlus image
    private final List<ParfocalPlaces> places
    private final List<Double> probabilities
    private final List<Roi> frames
    private final ImagePlus picture
    private double threshold
    private Component panel
    private Label label

    ParfocalThreshold(ImagePlus image, List<ParfocalPlaces> places, List<Double> probabilities, double threshold) {
        this.image = image
        this.places = places
        this.probabilities = probabilities
        this.threshold = threshold
        frames = places.collect { frameOf(it) }
        picture = new ImagePlus('threshold', drawn())
    }

    /** Show the window and wait: the threshold, null where it was closed without splitting. */
    Double choose() {
        IJ.showStatus(told())
        IJ.showProgress(1.0d)
        GenericDialog dialog = dialog()
        Overlay before = image.overlay
        mark(before)
        ImagePlus.addImageListener(this)
        try {
            dialog.showDialog()
        } finally {
            ImagePlus.removeImageListener(this)
            image.overlay = before
        }
        return dialog.wasCanceled() ? null : threshold
    }

    /** Kind of each plane, as the command with this threshold has it. */
    static List<String> kindsOf(List<Double> probabilities, double threshold) {
        probabilities.collect { Double.isNaN(it) ? NO_ANSWER : it > threshold ? DEFOCUSED : SHARP }
    }

    /** How many planes are sharp and how many defocused, and how many have no answer if there are any. */
    static String countsOf(List<String> kinds) {
        List<String> counts = []
        for (String kind : [SHARP, DEFOCUSED, NO_ANSWER]) {
            int count = Collections.frequency(kinds, kind)
            if (count > 0 || kind != NO_ANSWER) counts << (count + ' ' + kind)
        }
        return counts.join(', ')
    }

    private GenericDialog dialog() {
        GenericDialog dialog = new NonBlockingGenericDialog("Threshold for ${image.title}")
        dialog.addMessage('Probability of defocus of each plane, and the threshold:')
        dialog.addImage(picture)
        panel = dialog.getComponent(dialog.componentCount - 1)
        dialog.addSlider('threshold', 0d, 1d, threshold, 0.01d)
        ((Component) dialog.sliders.get(0)).preferredSize = new Dimension(330, 18)
        dialog.addMessage(told())
        label = (Label) dialog.message
        dialog.setOKLabel('Split')
        dialog.setCancelLabel('Close')
        dialog.addHelp(HELP)
        dialog.addDialogListener(this)
        ParfocalThreshold window = this
        panel.addMouseListener(new MouseAdapter() {
            void mousePressed(MouseEvent event) { window.show(event.x) }
        })
        return dialog
    }

    /** Split anew where the slider has been moved to; while no number is written there, nothing can be split. */
    boolean dialogItemChanged(GenericDialog dialog, AWTEvent event) {
        double written = dialog.nextNumber
        if (dialog.invalidNumber() || written < 0 || written > 1) return false
        threshold = written
        label.text = told()
        color()
        redraw()
        image.draw()
        return true
    }

    /** Another plane is shown. */
    void imageUpdated(ImagePlus updated) { if (updated === image) redraw() }

    /** Nothing is to be done. */
    void imageOpened(ImagePlus opened) { }

    /** What has been measured stays. */
    void imageClosed(ImagePlus closed) { }

    /** Show the plane whose bar lies at a column of the picture. */
    void show(int x) {
        ParfocalPlaces place = places[planeAt(x)]
        image.setPosition(place.channel, place.slice, place.frame)
    }

    private void redraw() {
        picture.setProcessor(drawn())
        panel.repaint()
    }

    private String told() { countsOf(kinds()) }

    private List<String> kinds() { kindsOf(probabilities, threshold) }

    private int planeAt(int x) { Math.max(0, Math.min(probabilities.size() - 1, (x * probabilities.size()).intdiv(WIDTH))) }

    /** Bars of probability over planes in the colours of their kinds, with a line at the threshold. */
    private ColorProcessor drawn() {
        ColorProcessor drawn = new ColorProcessor(WIDTH, HEIGHT)
        drawn.color = Color.WHITE
        drawn.fill()
        int foot = HEIGHT - MARK - GAP
        List<String> kinds = kinds()
        boolean gaps = WIDTH > 4 * probabilities.size()
        for (int x = 0; x < WIDTH; x++) {
            int plane = planeAt(x)
            if (isShown(places[plane])) line(drawn, LINE, x, HEIGHT - MARK, HEIGHT)
            if (gaps && x + 1 < WIDTH && planeAt(x + 1) != plane) continue
            double probability = probabilities[plane]
            line(drawn, COLORS[kinds[plane]], x, row(Double.isNaN(probability) ? 1d : probability, foot), foot)
        }
        drawn.color = LINE
        drawn.fill(new Roi(0, Math.min(row(threshold, foot), foot - 2), WIDTH, 2))
        return drawn
    }

    private static void line(ColorProcessor drawn, Color color, int x, int top, int end) {
        drawn.color = color
        drawn.fill(new Roi(x, top, 1, end - top))
    }

    private static int row(double probability, int foot) { Math.rint((1 - probability) * (foot - LOWEST_BAR)) as int }

    private boolean isShown(ParfocalPlaces place) {
        place.channel == image.c && place.slice == image.z && place.frame == image.t
    }

    /** Lay the frames over the image, above what lies there already. */
    private void mark(Overlay before) {
        Overlay overlay = before == null ? new Overlay() : before.duplicate()
        color()
        frames.each { overlay.add(it) }
        image.overlay = overlay
        image.hideOverlay = false
    }

    private void color() {
        List<String> kinds = kinds()
        frames.eachWithIndex { Roi frame, int index -> frame.strokeColor = COLORS[kinds[index]] }
    }

    /** Frame around a plane, half of which would lie outside if it were at the edge. */
    private Roi frameOf(ParfocalPlaces place) {
        double stroke = Math.max(THINNEST_FRAME, Math.min(image.width, image.height) * FRAME_SHARE)
        Roi frame = new Roi(stroke / 2d, stroke / 2d, image.width - stroke, image.height - stroke)
        frame.strokeWidth = (float) stroke
        frame.name = 'threshold'
        if (image.hyperStack) frame.setPosition(place.channel, place.slice, place.frame)
        else if (image.stackSize > 1) frame.setPosition(image.getStackIndex(place.channel, place.slice, place.frame))
        return frame
    }
}
