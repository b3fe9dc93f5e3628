# Prices in cents.

price_of() {
    case $1 in
        apple) echo 40 ;;
        pear) echo 55 ;;
        *) echo 0 ;;
    esac
}

total() {
    sum=0
    for item in "$@"; do
        one=`price_of "$item"`
        sum=`expr "$sum" + "$one"`
    done
    echo "$sum"
}
