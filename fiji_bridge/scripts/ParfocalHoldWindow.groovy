import ij.WindowManager
import java.awt.BorderLayout
import java.awt.Color
import java.awt.FlowLayout
import java.awt.Font
import java.awt.GridLayout
import java.awt.event.WindowAdapter
import java.awt.event.WindowEvent
import javax.swing.BorderFactory
import javax.swing.Box
import javax.swing.JButton
import javax.swing.JComponent
import javax.swing.JFrame
import javax.swing.JLabel
import javax.swing.JPanel
import javax.swing.JTextArea
import javax.swing.JTextField
import javax.swing.KeyStroke
import javax.swing.WindowConstants

/** State, numbers and buttons of a session that holds focus; for the event queue. */
class ParfocalHoldWindow {
    private static final Color GOOD = new Color(0x1B7837), CARE = new Color(0xB35806), BAD = new Color(0xB2182B), PLAIN = new Color(0x303030)
    private static final int EDGE = 8, LINES = 3, COLUMNS = 60, NARROW = 5, WIDE = 24, GAP = 6

    private final holding
    private final JFrame frame
    private final JLabel state = new JLabel(' ')
    private final Map<String, JLabel> numbers
    private final Map<String, JButton> buttons
    private final ParfocalHoldCharts charts
    /** Of what Calibrate asks. */
    private final Map<String, JTextField> fields
    private final JTextArea told = new JTextArea(LINES, COLUMNS)
    private boolean closed

    /** Holding has what is seen, and does what buttons say. */
    ParfocalHoldWindow(String title, holding) {
        this.holding = holding
        frame = new JFrame(title)
        numbers = holding.seen.numbers.keySet().collectEntries { [it, new JLabel('-')] }
        Map acts = ['Lock', 'Pause', 'Stop'].collectEntries { name -> [name, { holding.command(name.toLowerCase()) }] }
        acts.Calibrate = { holding.calibrate(fields.collectEntries { name, field -> [name, field.text] }) }
        buttons = acts.collectEntries { name, act -> [name, new JButton(name).tap { addActionListener { act() } }] }
        fields = holding.shown.calibrating.collectEntries { [it.name, fieldOf(it as Map)] }
        charts = new ParfocalHoldCharts(holding.shown, holding.seen.charts)
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
        buttons.Calibrate.enabled = !seen.over && !seen.begun
        fields.values()*.enabled = buttons.Calibrate.enabled
    }

    private void end() {
        if (closed) return
        closed = true
        WindowManager.removeWindow(frame)
        holding.end()
    }

    /** Escape ends a sweep or a stack. */
    private void escape() {
        Map seen = holding.seen
        if (seen.begun && !seen.held) holding.command('stop')
    }

    private static JTextField fieldOf(Map told) {
        return new JTextField(told.text as String, told.text ? NARROW : WIDE).tap {
            name = told.name
            toolTipText = told.help
            // They are read while focus is held.
            disabledTextColor = Color.DARK_GRAY
        }
    }

    private JPanel calibrating() {
        JPanel row = new JPanel(new FlowLayout(FlowLayout.LEFT, GAP, 0))
        holding.shown.calibrating.each { told ->
            row.add(new JLabel(told.label as String).tap { font = font.deriveFont(Font.PLAIN) })
            row.add(fields[told.name])
        }
        return row
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
        [state, grid, charts.legend, *charts.pictures, told, row, calibrating()].each { part ->
            part.alignmentX = 0f
            column.add(part)
        }
        column.border = BorderFactory.createEmptyBorder(EDGE, EDGE, EDGE, EDGE)
        frame.add(column, BorderLayout.CENTER)
        frame.rootPane.registerKeyboardAction({ escape() }, KeyStroke.getKeyStroke('ESCAPE'), JComponent.WHEN_IN_FOCUSED_WINDOW)
        frame.pack()
        frame.resizable = false
    }
}
