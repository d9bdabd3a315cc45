"""The table of Athena's functions: types of the arguments, type of the value, and its SQL for DuckDB.

A line is `name(types)->type: template`. `$0` is the first argument, cast to its type. `T`, `K` and `V` are any types;
`number` is any numeric type and `moment` a date or time, which comes as a local TIMESTAMP. A type followed by `...` may
be repeated. `FAIL(words)` ends the query with these words. In aggregates `@` is the place of DISTINCT, `^` that of
ORDER BY and `~` that of FILTER and OVER.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from exports.engine.dialect.casts import BLANKS

_SCALARS: Final = rf"""
chr(bigint)->varchar: chr(CAST($0 AS INTEGER))
codepoint(varchar)->integer: CASE WHEN length($0) = 1 THEN unicode($0) WHEN $0 IS NULL THEN NULL ELSE FAIL(codepoint takes a text of one character) END
length(varchar)->bigint: length($0)
length(varbinary)->bigint: octet_length($0)
char_length(varchar)->bigint: length($0)
character_length(varchar)->bigint: length($0)
lower(varchar)->varchar: lower($0)
upper(varchar)->varchar: CASE WHEN contains($0, 'ß') THEN replace(upper(replace($0, 'ß', chr(57344))), chr(57344), 'ß') ELSE upper($0) END
reverse(varchar)->varchar: CASE WHEN strlen($0) = length($0) THEN reverse($0) ELSE array_to_string(list_reverse(string_split($0, '')), '') END
reverse(array(T))->array(T): list_reverse($0)
trim(varchar)->varchar: trim($0, {BLANKS})
ltrim(varchar)->varchar: ltrim($0, {BLANKS})
rtrim(varchar)->varchar: rtrim($0, {BLANKS})
lpad(varchar,bigint,varchar)->varchar: CASE WHEN $1 < 0 OR $2 = '' THEN FAIL(lpad takes a size of 0 or more and a text to pad with) ELSE lpad($0, CAST($1 AS INTEGER), $2) END
rpad(varchar,bigint,varchar)->varchar: CASE WHEN $1 < 0 OR $2 = '' THEN FAIL(rpad takes a size of 0 or more and a text to pad with) ELSE rpad($0, CAST($1 AS INTEGER), $2) END
replace(varchar,varchar)->varchar: CASE WHEN $1 = '' THEN FAIL(replace takes a text to search for) ELSE replace($0, $1, '') END
replace(varchar,varchar,varchar)->varchar: CASE WHEN $1 = '' THEN FAIL(replace takes a text to search for) ELSE replace($0, $1, $2) END
translate(varchar,varchar,varchar)->varchar: translate($0, $1, $2)
starts_with(varchar,varchar)->boolean: starts_with($0, $1)
strpos(varchar,varchar)->bigint: instr($0, $1)
strpos(varchar,varchar,bigint)->bigint: CASE WHEN $2 = 0 THEN FAIL(strpos counts from 1, or from -1 at the end) WHEN $0 IS NULL OR $1 IS NULL OR $2 IS NULL THEN NULL WHEN $1 = '' THEN 1 ELSE CAST(coalesce(list_filter(range(1, length($0) + 1), lambda place: substr($0, place, length($1)) = $1)[$2], 0) AS BIGINT) END
hamming_distance(varchar,varchar)->bigint: CASE WHEN length($0) <> length($1) THEN FAIL(hamming_distance takes texts of the same length) ELSE len(list_filter(range(1, length($0) + 1), lambda place: substr($0, place, 1) <> substr($1, place, 1))) END
levenshtein_distance(varchar,varchar)->bigint: CASE WHEN strlen($0) <> length($0) OR strlen($1) <> length($1) THEN FAIL(levenshtein_distance takes letters of ASCII here) ELSE levenshtein($0, $1) END
split(varchar,varchar)->array(varchar): CASE WHEN $1 = '' THEN FAIL(split takes a delimiter) ELSE string_split($0, $1) END
split_part(varchar,varchar,bigint)->varchar: CASE WHEN $1 = '' THEN FAIL(split_part takes a delimiter) WHEN $2 < 1 THEN FAIL(split_part counts fields from 1) ELSE string_split($0, $1)[$2] END
normalize(varchar)->varchar: nfc_normalize($0)
to_utf8(varchar)->varbinary: encode($0)
from_utf8(varbinary)->varchar: decode($0)
to_hex(varbinary)->varchar: hex($0)
from_hex(varchar)->varbinary: CASE WHEN length($0) % 2 = 1 THEN FAIL(from_hex takes two digits for each byte) ELSE unhex($0) END
to_base64(varbinary)->varchar: to_base64($0)
from_base64(varchar)->varbinary: from_base64($0)
md5(varbinary)->varbinary: unhex(md5($0))
sha1(varbinary)->varbinary: unhex(sha1($0))
sha256(varbinary)->varbinary: unhex(sha256($0))
uuid()->varchar: CAST(uuid() AS VARCHAR)
abs(double)->double: abs($0)
sqrt(double)->double: CASE WHEN $0 < 0 THEN CAST('NaN' AS DOUBLE) ELSE sqrt($0) END
cbrt(double)->double: CASE WHEN round(cbrt($0)) ** 3 = $0 THEN round(cbrt($0)) ELSE cbrt($0) END
exp(double)->double: exp($0)
ln(double)->double: CASE WHEN $0 = 0 THEN CAST('-Infinity' AS DOUBLE) WHEN $0 < 0 THEN CAST('NaN' AS DOUBLE) ELSE ln($0) END
log2(double)->double: CASE WHEN $0 = 0 THEN CAST('-Infinity' AS DOUBLE) WHEN $0 < 0 THEN CAST('NaN' AS DOUBLE) ELSE log2($0) END
log10(double)->double: CASE WHEN $0 = 0 THEN CAST('-Infinity' AS DOUBLE) WHEN $0 < 0 THEN CAST('NaN' AS DOUBLE) ELSE log10($0) END
log(double,double)->double: CASE WHEN $0 < 0 OR $1 < 0 THEN CAST('NaN' AS DOUBLE) WHEN $0 = 0 AND $1 = 0 THEN CAST('NaN' AS DOUBLE) WHEN $0 = 0 THEN CASE WHEN $1 < 1 THEN 0.0 ELSE -0.0 END WHEN $1 = 0 THEN CASE WHEN $0 > 1 THEN CAST('-Infinity' AS DOUBLE) WHEN $0 < 1 THEN CAST('Infinity' AS DOUBLE) ELSE CAST('-Infinity' AS DOUBLE) END ELSE ln($1) / ln($0) END
power(double,double)->double: power($0, $1)
pow(double,double)->double: power($0, $1)
degrees(double)->double: degrees($0)
radians(double)->double: radians($0)
e()->double: exp(CAST(1 AS DOUBLE))
pi()->double: pi()
infinity()->double: CAST('Infinity' AS DOUBLE)
nan()->double: CAST('NaN' AS DOUBLE)
is_nan(double)->boolean: isnan($0)
is_finite(double)->boolean: isfinite($0)
is_infinite(double)->boolean: isinf($0)
acos(double)->double: CASE WHEN abs($0) > 1 THEN CAST('NaN' AS DOUBLE) ELSE acos($0) END
asin(double)->double: CASE WHEN abs($0) > 1 THEN CAST('NaN' AS DOUBLE) ELSE asin($0) END
atan(double)->double: atan($0)
atan2(double,double)->double: atan2($0, $1)
cos(double)->double: CASE WHEN isinf($0) THEN CAST('NaN' AS DOUBLE) ELSE cos($0) END
cosh(double)->double: cosh($0)
sin(double)->double: CASE WHEN isinf($0) THEN CAST('NaN' AS DOUBLE) ELSE sin($0) END
sinh(double)->double: sinh($0)
tan(double)->double: CASE WHEN isinf($0) THEN CAST('NaN' AS DOUBLE) ELSE tan($0) END
tanh(double)->double: tanh($0)
rand()->double: random()
random()->double: random()
rand(bigint)->bigint: CASE WHEN $0 <= 0 THEN FAIL(rand takes a bound above 0) ELSE CAST(floor(random() * $0) AS BIGINT) END
random(bigint)->bigint: CASE WHEN $0 <= 0 THEN FAIL(random takes a bound above 0) ELSE CAST(floor(random() * $0) AS BIGINT) END
rand(bigint,bigint)->bigint: CASE WHEN $0 >= $1 THEN FAIL(rand takes a lower bound below the upper one) ELSE CAST($0 + floor(random() * ($1 - $0)) AS BIGINT) END
random(bigint,bigint)->bigint: CASE WHEN $0 >= $1 THEN FAIL(random takes a lower bound below the upper one) ELSE CAST($0 + floor(random() * ($1 - $0)) AS BIGINT) END
to_base(bigint,bigint)->varchar: CASE WHEN $0 < 0 THEN '-' ELSE '' END || lower(to_base(abs($0), CAST($1 AS INTEGER)))
width_bucket(double,double,double,bigint)->bigint: CASE WHEN $3 <= 0 OR $1 = $2 OR isnan($0) THEN FAIL(width_bucket takes two bounds that differ and a number of buckets above 0) WHEN $1 < $2 THEN CASE WHEN $0 < $1 THEN 0 WHEN $0 >= $2 THEN $3 + 1 ELSE CAST(floor($3 * ($0 - $1) / ($2 - $1)) AS BIGINT) + 1 END ELSE CASE WHEN $0 > $1 THEN 0 WHEN $0 <= $2 THEN $3 + 1 ELSE CAST(floor($3 * ($1 - $0) / ($1 - $2)) AS BIGINT) + 1 END END
width_bucket(double,array(double))->bigint: CASE WHEN len($1) = 0 OR $1 <> list_sort($1) THEN FAIL(width_bucket takes bounds in ascending order) WHEN $0 IS NULL THEN NULL ELSE len(list_filter($1, lambda bound: bound <= $0)) END
bitwise_and(bigint,bigint)->bigint: ($0 & $1)
bitwise_or(bigint,bigint)->bigint: ($0 | $1)
bitwise_xor(bigint,bigint)->bigint: xor($0, $1)
bitwise_not(bigint)->bigint: (~$0)
year(moment)->bigint: year($0)
quarter(moment)->bigint: quarter($0)
month(moment)->bigint: month($0)
week(moment)->bigint: weekofyear($0)
week_of_year(moment)->bigint: weekofyear($0)
day(moment)->bigint: day($0)
day_of_month(moment)->bigint: day($0)
day_of_week(moment)->bigint: isodow($0)
dow(moment)->bigint: isodow($0)
day_of_year(moment)->bigint: dayofyear($0)
doy(moment)->bigint: dayofyear($0)
year_of_week(moment)->bigint: isoyear($0)
yow(moment)->bigint: isoyear($0)
hour(time)->bigint: hour($0)
minute(time)->bigint: minute($0)
second(time)->bigint: second($0)
millisecond(time)->bigint: (millisecond($0) % 1000)
last_day_of_month(moment)->date: last_day($0)
from_iso8601_date(varchar)->date: CASE WHEN $0 IS NULL OR regexp_full_match($0, '[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}') THEN CAST($0 AS DATE) ELSE FAIL(from_iso8601_date reads days written as YYYY-MM-DD here) END
from_unixtime(double)->timestamp(3) with time zone: timezone('UTC', make_timestamp(CAST(round($0 * 1000) AS BIGINT) * 1000))
to_unixtime(instant)->double: (epoch_us($0) / CAST(1000000 AS DOUBLE))
to_milliseconds(interval day to second)->bigint: CAST(round(epoch($0) * 1000) AS BIGINT)
current_timezone()->varchar: 'UTC'
now()->timestamp(3) with time zone: date_trunc('milliseconds', now())
cardinality(array(T))->bigint: len($0)
cardinality(map(K,V))->bigint: len(map_keys($0))
array_distinct(array(T))->array(T): list_filter($0, lambda each, place: list_position($0, each) = place)
array_sort(array(T))->array(T): list_sort($0, 'ASC', 'NULLS LAST')
array_max(array(T))->T: CASE WHEN len(list_filter($0, lambda each: each IS NULL)) > 0 THEN NULL ELSE list_max($0) END
array_max(array(double))->double: CASE WHEN len(list_filter($0, lambda each: each IS NULL)) > 0 THEN NULL ELSE coalesce(list_max(list_filter($0, lambda each: NOT isnan(each))), list_max($0)) END
array_max(array(real))->real: CASE WHEN len(list_filter($0, lambda each: each IS NULL)) > 0 THEN NULL ELSE coalesce(list_max(list_filter($0, lambda each: NOT isnan(each))), list_max($0)) END
array_min(array(T))->T: CASE WHEN len(list_filter($0, lambda each: each IS NULL)) > 0 THEN NULL ELSE list_min($0) END
array_position(array(T),T)->bigint: CASE WHEN $0 IS NULL OR $1 IS NULL THEN NULL ELSE CAST(coalesce(list_position($0, $1), 0) AS BIGINT) END
array_remove(array(T),T)->array(T): CASE WHEN $1 IS NULL THEN NULL ELSE list_filter($0, lambda each: each IS DISTINCT FROM $1) END
arrays_overlap(array(T),array(T))->boolean: CASE WHEN len(list_filter($0, lambda each: each IS NOT NULL AND list_contains($1, each))) > 0 THEN true WHEN len($0) > 0 AND len($1) > 0 AND len(list_filter(list_concat($0, $1), lambda each: each IS NULL)) > 0 THEN NULL WHEN $0 IS NULL OR $1 IS NULL THEN NULL ELSE false END
contains(array(T),T)->boolean: CASE WHEN $0 IS NULL OR $1 IS NULL THEN NULL WHEN list_contains($0, $1) THEN true WHEN len(list_filter($0, lambda each: each IS NULL)) > 0 THEN NULL ELSE false END
flatten(array(array(T)))->array(T): flatten($0)
slice(array(T),bigint,bigint)->array(T): CASE WHEN $1 = 0 OR $2 < 0 THEN FAIL(slice counts from 1 and takes a length of 0 or more) WHEN $2 = 0 OR abs($1) > len($0) THEN $0[1:0] WHEN $1 > 0 THEN $0[$1:$1 + $2 - 1] ELSE $0[len($0) + $1 + 1:len($0) + $1 + $2] END
trim_array(array(T),bigint)->array(T): CASE WHEN $1 < 0 OR $1 > len($0) THEN FAIL(trim_array takes 0 to as many elements as there are) ELSE $0[1:len($0) - $1] END
repeat(T,bigint)->array(T): CASE WHEN $1 < 0 THEN FAIL(repeat takes a count of 0 or more) WHEN $1 IS NULL THEN NULL ELSE list_transform(range($1), lambda place: $0) END
map(array(K),array(V))->map(K,V): CASE WHEN len($0) <> len($1) THEN FAIL(map takes as many keys as values) ELSE map($0, $1) END
map_keys(map(K,V))->array(K): map_keys($0)
map_values(map(K,V))->array(V): map_values($0)
json_array_length(varchar)->bigint: CASE WHEN json_strict($0) AND json_type($0) = 'ARRAY' THEN CAST(json_array_length($0) AS BIGINT) END
json_array_length(json)->bigint: CASE WHEN json_type($0) = 'ARRAY' THEN CAST(json_array_length($0) AS BIGINT) END
json_parse(varchar)->json: CASE WHEN json_strict($0) THEN CAST($0 AS JSON) WHEN $0 IS NOT NULL THEN FAIL(json_parse takes valid JSON) END
json_array_contains(varchar,bigint)->boolean: CASE WHEN json_strict($0) THEN CASE WHEN json_type($0) = 'ARRAY' AND $1 IS NOT NULL THEN len(list_filter(CAST($0 AS JSON[]), lambda each: json_type(each) IN ('BIGINT', 'UBIGINT') AND json_extract_string(each, '$') = CAST($1 AS VARCHAR))) > 0 END WHEN json_begun($0) THEN FAIL(The text is not valid JSON: Athena may read a part of it, so it is refused here) END
json_array_contains(json,bigint)->boolean: CASE WHEN json_type($0) = 'ARRAY' AND $1 IS NOT NULL THEN len(list_filter(CAST($0 AS JSON[]), lambda each: json_type(each) IN ('BIGINT', 'UBIGINT') AND json_extract_string(each, '$') = CAST($1 AS VARCHAR))) > 0 END
json_array_contains(varchar,varchar)->boolean: CASE WHEN json_strict($0) THEN CASE WHEN json_type($0) = 'ARRAY' AND $1 IS NOT NULL THEN len(list_filter(CAST($0 AS JSON[]), lambda each: json_type(each) IN ('VARCHAR') AND json_extract_string(each, '$') = $1)) > 0 END WHEN json_begun($0) THEN FAIL(The text is not valid JSON: Athena may read a part of it, so it is refused here) END
json_array_contains(json,varchar)->boolean: CASE WHEN json_type($0) = 'ARRAY' AND $1 IS NOT NULL THEN len(list_filter(CAST($0 AS JSON[]), lambda each: json_type(each) IN ('VARCHAR') AND json_extract_string(each, '$') = $1)) > 0 END
json_array_contains(varchar,boolean)->boolean: CASE WHEN json_strict($0) THEN CASE WHEN json_type($0) = 'ARRAY' AND $1 IS NOT NULL THEN len(list_filter(CAST($0 AS JSON[]), lambda each: json_type(each) IN ('BOOLEAN') AND json_extract_string(each, '$') = CAST($1 AS VARCHAR))) > 0 END WHEN json_begun($0) THEN FAIL(The text is not valid JSON: Athena may read a part of it, so it is refused here) END
json_array_contains(json,boolean)->boolean: CASE WHEN json_type($0) = 'ARRAY' AND $1 IS NOT NULL THEN len(list_filter(CAST($0 AS JSON[]), lambda each: json_type(each) IN ('BOOLEAN') AND json_extract_string(each, '$') = CAST($1 AS VARCHAR))) > 0 END
json_size(varchar,path)->bigint: CASE WHEN NOT json_strict($0) THEN CASE WHEN json_begun($0) THEN FAIL(The text is not valid JSON: Athena may read a part of it, so it is refused here) END WHEN json_type($0, $1) = 'ARRAY' THEN CAST(json_array_length($0, $1) AS BIGINT) WHEN json_type($0, $1) = 'OBJECT' THEN len(json_keys($0, $1)) WHEN json_type($0, $1) IS NOT NULL THEN 0 END
json_size(json,path)->bigint: CASE WHEN json_type($0, $1) = 'ARRAY' THEN CAST(json_array_length($0, $1) AS BIGINT) WHEN json_type($0, $1) = 'OBJECT' THEN len(json_keys($0, $1)) WHEN json_type($0, $1) IS NOT NULL THEN 0 END
json_extract(varchar,path)->json: CASE WHEN json_strict($0) THEN json_extract($0, $1) WHEN json_begun($0) THEN FAIL(The text is not valid JSON: Athena may read a part of it, so it is refused here) END
json_extract(json,path)->json: json_extract($0, $1)
json_extract_scalar(varchar,path)->varchar: CASE WHEN json_strict($0) THEN CASE WHEN json_type($0, $1) IN ('OBJECT', 'ARRAY') THEN NULL WHEN json_type($0, $1) <> 'DOUBLE' THEN json_extract_string($0, $1) WHEN list_contains(regexp_split_to_array($0, '[^-+.0-9eE]+'), CAST(json_extract($0, $1) AS VARCHAR)) THEN json_extract_string($0, $1) WHEN json_type($0, $1) IS NOT NULL THEN FAIL(The number is written in another way than it is read: use json_extract and cast it to double) END WHEN json_begun($0) THEN FAIL(The text is not valid JSON: Athena may read a part of it, so it is refused here) END
json_extract_scalar(json,path)->varchar: CASE WHEN json_type($0, $1) IN ('OBJECT', 'ARRAY') THEN NULL WHEN json_type($0, $1) = 'DOUBLE' THEN java_double(CAST(CAST(json_extract_string($0, $1) AS DOUBLE) AS VARCHAR)) ELSE json_extract_string($0, $1) END
is_json_scalar(varchar)->boolean: CASE WHEN json_strict($0) THEN json_type($0) NOT IN ('OBJECT', 'ARRAY') WHEN $0 IS NOT NULL THEN FAIL(is_json_scalar takes valid JSON) END
is_json_scalar(json)->boolean: (json_type($0) NOT IN ('OBJECT', 'ARRAY'))
"""  # noqa: E501

_AGGREGATES: Final = """
count()->bigint: count(*)~
count(T)->bigint: count(@$0)~
count_if(boolean)->bigint: count(@CASE WHEN $0 THEN 1 END)~
sum(bigint)->bigint: CAST(sum(@$0)~ AS BIGINT)
sum(real)->real: CAST(sum(@CAST($0 AS DOUBLE))~ AS FLOAT)
sum(double)->double: sum(@$0)~
sum(interval day to second)->interval day to second: to_milliseconds(CAST(sum(@CAST(round(epoch($0) * 1000) AS BIGINT))~ AS BIGINT))
sum(interval year to month)->interval year to month: to_months(CAST(sum(@CAST(12 * date_part('year', $0) + date_part('month', $0) AS BIGINT))~ AS INTEGER))
avg(bigint)->double: avg(@$0)~
avg(double)->double: avg(@$0)~
max(orderable)->T: max(@$0)~
min(orderable)->T: min(@$0)~
max(orderable,bigint)->array(T): max($0, $1)~
min(orderable,bigint)->array(T): min($0, $1)~
any_value(T)->T: any_value($0^)~
arbitrary(T)->T: any_value($0^)~
array_agg(T)->array(T): list(@$0^)~
bool_and(boolean)->boolean: bool_and($0)~
every(boolean)->boolean: bool_and($0)~
bool_or(boolean)->boolean: bool_or($0)~
max_by(T,V)->T: arg_max_null($0, $1)~
min_by(T,V)->T: arg_min_null($0, $1)~
bitwise_and_agg(bigint)->bigint: bit_and($0)~
bitwise_or_agg(bigint)->bigint: bit_or($0)~
bitwise_xor_agg(bigint)->bigint: bit_xor(@$0)~
histogram(T)->map(T,bigint): CAST(histogram($0)~ AS $K)
approx_distinct(T)->bigint: count(DISTINCT $0)~
approx_distinct(T,double)->bigint: count(DISTINCT $0)~
stddev(double)->double: stddev_samp(@$0)~
stddev_samp(double)->double: stddev_samp(@$0)~
stddev_pop(double)->double: stddev_pop(@$0)~
variance(double)->double: var_samp(@$0)~
var_samp(double)->double: var_samp(@$0)~
var_pop(double)->double: var_pop(@$0)~
corr(double,double)->double: CASE WHEN isfinite(corr($0, $1)~) THEN corr($0, $1)~ END
covar_pop(double,double)->double: covar_pop($0, $1)~
covar_samp(double,double)->double: covar_samp($0, $1)~
regr_slope(double,double)->double: CASE WHEN isfinite(regr_slope($0, $1)~) THEN regr_slope($0, $1)~ END
regr_intercept(double,double)->double: CASE WHEN isfinite(regr_intercept($0, $1)~) THEN regr_intercept($0, $1)~ END
kurtosis(double)->double: kurtosis(@$0)~
geometric_mean(double)->double: geomean(@$0)~
"""  # noqa: E501

_WINDOWS: Final = """
row_number()->bigint: row_number()~
rank()->bigint: rank()~
dense_rank()->bigint: dense_rank()~
percent_rank()->double: percent_rank()~
cume_dist()->double: cume_dist()~
ntile(bigint)->bigint: ntile($0)~
lag(T)->T: lag($0!)~
lag(T,bigint)->T: lag($0, $1!)~
lag(T,bigint,T)->T: lag($0, $1, $2!)~
lead(T)->T: lead($0!)~
lead(T,bigint)->T: lead($0, $1!)~
lead(T,bigint,T)->T: lead($0, $1, $2!)~
first_value(T)->T: first_value($0!)~
last_value(T)->T: last_value($0!)~
nth_value(T,bigint)->T: nth_value($0, $1!)~
"""


@dataclass(frozen=True)
class Call:
    """One signature of a function: the types of its arguments, of its value, and its template."""

    name: str
    takes: tuple[str, ...]
    gives: str
    template: str


def _split(text: str) -> tuple[str, ...]:
    """Split types at commas outside of brackets."""
    return tuple(part.strip() for part in re.split(r",(?![^()]*\))", text) if part.strip())


def _read(text: str) -> dict[str, tuple[Call, ...]]:
    found: dict[str, tuple[Call, ...]] = {}
    for line in text.strip().splitlines():
        head, _, template = line.partition(": ")
        left, _, gives = head.partition("->")
        name, _, rest = left.partition("(")
        call = Call(name, _split(rest[: rest.rindex(")")]), gives, template)
        found[name] = (*found.get(name, ()), call)
    return found


SCALARS: Final = _read(_SCALARS)
AGGREGATES: Final = _read(_AGGREGATES)
WINDOWS: Final = _read(_WINDOWS)

_NOT_OFFERED: Final = """
    array_histogram bar beta_cdf bing_tile bitwise_left_shift bitwise_right_shift bitwise_right_shift_arithmetic
    color combinations cosine_similarity empty_approx_set entropy format_number from_base from_base32
    from_base64url from_big_endian_32 from_big_endian_64 from_encoded_polyline from_geojson_geometry
    from_ieee754_32 from_ieee754_64 from_unixtime_nanos great_circle_distance hmac_md5 hmac_sha1 hmac_sha512
    intersection_cardinality inverse_beta_cdf inverse_normal_cdf jaccard_index json_array_get learn_classifier
    learn_regressor luhn_check make_set_digest map_zip_with merge merge_set_digest multimap_from_entries murmur3
    ngrams normal_cdf parse_data_size parse_duration quantile_at_value reduce_agg render rgb
    spatial_partitioning split_to_map split_to_multimap spooky_hash_v2_32 spooky_hash_v2_64 st_area st_astext
    st_buffer st_centroid st_contains st_distance st_geometryfromtext st_intersects st_point st_within st_x st_y
    timestamp_objectid to_base32 to_base64url to_big_endian_32 to_big_endian_64 to_char to_date
    to_encoded_polyline to_geometry to_ieee754_32 to_ieee754_64 to_spherical_geography to_timestamp
    value_at_quantile values_at_quantiles version wilson_interval_lower wilson_interval_upper
"""

# Functions of Athena that are not available, without a reason to give.
NOT_OFFERED: Final = frozenset(_NOT_OFFERED.split())

# Functions of Athena that are not available, and why.
REFUSED: Final = {
    "approx_most_frequent": "its value is an approximation that no page fixes: use GROUP BY and ORDER BY",
    "approx_set": "its sketches are Athena's own",
    "array_except": "no page says the order of its elements: use filter with contains",
    "array_intersect": "no page says the order of its elements: use filter with contains",
    "array_union": "no page says the order of its elements: use array_distinct of a || b",
    "checksum": "no page says how it is computed",
    "crc32": "DuckDB cannot compute it",
    "current_time": "times of day without a date are not offered: use current_timestamp",
    "hmac_sha256": "DuckDB cannot compute it",
    "human_readable_seconds": "its words are not offered: use date_diff",
    "json_format": "no page says the order of names in its objects: use json_extract_scalar",
    "localtime": "times of day without a date are not offered: use localtimestamp",
    "map_union": "which of two values it keeps is arbitrary",
    "multimap_agg": "no page says the order of its lists: use array_agg with GROUP BY",
    "numeric_histogram": "its value is an approximation that no page fixes: use width_bucket",
    "shuffle": "its value is random",
    "skewness": "no page says which of two formulas it uses",
    "soundex": "DuckDB cannot compute it",
    "tdigest_agg": "its sketches are Athena's own",
    "qdigest_agg": "its sketches are Athena's own",
    "url_decode": "no page says what becomes of each character",
    "url_encode": "no page says what becomes of each character",
    "url_extract_host": "DuckDB cannot compute it: use regexp_extract",
    "url_extract_parameter": "DuckDB cannot compute it: use regexp_extract",
    "url_extract_path": "DuckDB cannot compute it: use regexp_extract",
    "url_extract_protocol": "DuckDB cannot compute it: use regexp_extract",
    "url_extract_query": "DuckDB cannot compute it: use regexp_extract",
    "word_stem": "DuckDB cannot compute it",
    "xxhash64": "DuckDB cannot compute it",
}
