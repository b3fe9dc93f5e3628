# What is on the shelf.

stock_of() {
    case $1 in
        apple) echo 12 ;;
        pear) echo 0 ;;
        *) echo 0 ;;
    esac
}

in_stock() {
    count=`stock_of "$1"`
    test "$count" -gt 0
}
