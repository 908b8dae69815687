# Connect, ask the chip what it is, write, verify, reset. Each failure ends with one line that openocd.py reads.
# The caller set: IMAGE (a file in the working directory), DEVICE_ADDRESS, DEVICE_ID, RDP_ADDRESS, RDP_SHIFT.

proc refuse {step why} {
    echo "hilgate: $step: $why"
    shutdown error
}

proc check_chip {} {
    global DEVICE_ADDRESS DEVICE_ID RDP_ADDRESS RDP_SHIFT
    set found [expr {[lindex [read_memory $DEVICE_ADDRESS 32 1] 0] & 0xfff}]
    if {$found != $DEVICE_ID} {
        refuse device [format "0x%03x instead of 0x%03x" $found $DEVICE_ID]
        return 0
    }
    set level [expr {([lindex [read_memory $RDP_ADDRESS 32 1] 0] >> $RDP_SHIFT) & 0xff}]
    if {$level != 0xaa} { # AA: level 0, CC: level 2 (for ever), anything else: level 1
        refuse locked [format "0x%02x" $level]
        return 0
    }
    return 1
}

proc flash_image {} {
    global IMAGE
    if {[catch {init} why]} { refuse connect $why; return }
    if {[catch {reset halt} why]} { refuse halt $why; return }
    if {[catch {check_chip} good]} { refuse examine $good; return }
    if {!$good} { return }
    if {[catch {flash write_image erase $IMAGE} why]} { refuse write $why; return }
    echo "hilgate: [lindex [split [string trim $why] "\n"] end]" ;# how many bytes, in what time
    if {[catch {verify_image $IMAGE} why]} { refuse verify $why; return }
    if {[catch {reset run} why]} { refuse reset $why; return }
    echo "hilgate: done"
    shutdown
}
