import ij.WindowManager
import java.awt.BorderLayout
import java.awt.Color
import java.awt.Font
import java.awt.GridLayout
import java.awt.event.WindowAdapter
import java.awt.event.WindowEvent
import javax.swing.BorderFactory
import javax.swing.Box
import javax.swing.JButton
import javax.swing.JFrame
import javax.swing.JLabel
import javax.swing.JPanel
import javax.swing.JTextArea
import javax.swing.WindowConstants

/** State, numbers and buttons of a session that holds focus; for the event queue. */
class ParfocalHoldWindow {
    private static final Color GOOD = new Color(0x1B7837), CARE = new Color(0xB35806), BAD = new Color(0xB2182B), PLAIN = new Color(0x303030)
    private static final int EDGE = 8, LINES = 3, COLUMNS = 60

    private final holding
    private final JFrame frame
    private final JLabel state = new JLabel(' ')
    private final Map<String, JLabel> numbers
    private final Map<String, JButton> buttons
    private final ParfocalHoldCharts charts
    private final JTextArea told = new JTextArea(LINES, COLUMNS)
    private boolean closed

    /** Holding has what is seen, and does what buttons say. */
    ParfocalHoldWindow(String title, holding) {
        this.holding = holding
        frame = new JFrame(title)
        numbers = holding.seen.numbers.keySet().collectEntries { [it, new JLabel('-')] }
        buttons = [Lock: 'lock', Pause: 'pause', Stop: 'stop'].collectEntries { name, command ->
            JButton button = new JButton(name)
            button.addActionListener { holding.command(command) }
            return [name, button]
        }
        charts = new ParfocalHoldCharts(holding.charts, holding.seen.charts)
        layOut()
        frame.defaultCloseOperation = WindowConstants.DISPOSE_ON_CLOSE
        def ended = { end() }
        frame.addWindowListener(new WindowAdapter() {
            void windowClosed(WindowEvent event) { ended() }
        })
        WindowManager.addWindow(frame)
    }

    boolean isClosed() { closed }

    /** Bring it to the front. */
    void open() {
        frame.visible = true
        frame.toFront()
    }

    /** Show what is seen. */
    void tell(Map seen) {
        if (closed) return
        state.text = seen.state
        state.foreground = seen.error ? BAD : !seen.held ? PLAIN : seen.state == 'locked' ? GOOD : CARE
        seen.numbers.each { name, text -> numbers[name].text = text }
        charts.tell(seen.charts)
        told.text = seen.told
        told.foreground = seen.error ? BAD : seen.care ? CARE : PLAIN
        buttons.Lock.enabled = !seen.over && (!seen.begun || seen.waits)
        buttons.Pause.enabled = seen.held && !seen.waits
        buttons.Stop.enabled = seen.begun
    }

    private void end() {
        if (closed) return
        closed = true
        WindowManager.removeWindow(frame)
        holding.end()
    }

    private void layOut() {
        state.font = state.font.deriveFont(Font.BOLD, 20f)
        JPanel grid = new JPanel(new GridLayout(2, numbers.size(), 10, 0))
        numbers.keySet().each { name -> grid.add(new JLabel(name).tap { font = font.deriveFont(Font.PLAIN) }) }
        numbers.values().each { grid.add(it) }
        told.editable = false
        told.lineWrap = true
        told.wrapStyleWord = true
        told.opaque = false
        told.focusable = false
        JPanel row = new JPanel()
        buttons.values().each { row.add(it) }
        ([state: state, told: told] + numbers).each { name, part -> part.name = name }
        Box column = Box.createVerticalBox()
        [state, grid, charts.legend, *charts.pictures, told, row].each { part ->
            part.alignmentX = 0f
            column.add(part)
        }
        column.border = BorderFactory.createEmptyBorder(EDGE, EDGE, EDGE, EDGE)
        frame.add(column, BorderLayout.CENTER)
        frame.pack()
        frame.resizable = false
    }
}
