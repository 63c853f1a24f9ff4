import ij.gui.Plot
import javax.swing.ImageIcon
import javax.swing.JLabel
import javax.swing.Timer

/** Strip charts of a session that holds focus, drawn by ImageJ as the worker says; for the event queue. */
class ParfocalHoldCharts {
    /** Least time between two pictures. */
    private static final int REST_MS = 200

    final JLabel legend
    final List<JLabel> pictures
    private final int width
    private final Timer timer
    private List charts

    /** Told is what the charts are like: colours by their meaning, and the width of the frames. */
    ParfocalHoldCharts(Map told, List charts) {
        width = told.width_px as int
        legend = new JLabel("<html><br>${told.legend.collect { name, color -> "<font color='${color}'>${name}</font>" }.join('&nbsp;&nbsp; ')}</html>".toString())
        this.charts = charts
        pictures = charts.indices.collect { new JLabel().tap { name = "chart ${it}" } }
        timer = new Timer(REST_MS, { draw() })
        timer.repeats = false
        draw()
    }

    /** Draw these, a little later. */
    void tell(List charts) {
        if (this.charts === charts) return
        this.charts = charts
        timer.start()
    }

    private void draw() {
        charts.eachWithIndex { chart, index -> pictures[index].icon = new ImageIcon(drawn(chart as Map)) }
    }

    private drawn(Map chart) {
        def plot = new Plot(chart.y_label as String, chart.x_label as String, chart.y_label as String)
        plot.setFrameSize(width, chart.height_px as int)
        plot.setLimits(*chart.limits.collect { it as double })
        if (!chart.x_label) plot.formatFlags = plot.flags & ~Plot.X_NUMBERS
        chart.curves.each { curve ->
            plot.setColor(curve.color as String)
            plot.add(curve.shape as String, curve.x as double[], curve.y as double[])
        }
        return plot.processor.bufferedImage
    }
}
