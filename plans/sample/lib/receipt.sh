# Receipts.

money() {
    cents=`expr "$1" % 100`
    euros=`expr "$1" / 100`
    printf '%d.%02d\n' "$euros" "$cents"
}
