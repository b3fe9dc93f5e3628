# The suite: sh tests/run.sh
. ./lib/price.sh
. ./lib/stock.sh
. ./lib/receipt.sh

failed=0
same() {
    if [ "$2" = "$3" ]; then
        echo "ok    $1"
    else
        echo "FAIL  $1: expected $2, got $3"
        failed=1
    fi
}

same "price of an apple" 40 "$(price_of apple)"
same "price of nothing" 0 "$(price_of brick)"
same "a total" 135 "$(total apple apple pear)"
same "money" 1.35 "$(money 135)"
same "small money" 0.05 "$(money 5)"
same "apples are there" yes "$(in_stock apple && echo yes)"
same "pears are sold out" no "$(in_stock pear || echo no)"
same "the program" 0.95 "$(sh bin/shop apple pear 2>/dev/null)"
exit "$failed"
