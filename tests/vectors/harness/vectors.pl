# SAM in Perl, against the exported vectors alone: perl vectors.pl DIRECTORY
use strict; use warnings; use JSON::PP; use List::Util qw(sum0 max);

sub each_of { my ($f, @trees) = @_; # f over corresponding numbers of trees
  return [map { my $i = $_; [map { my $j = $_; $f->(map { $_->[$i][$j] } @trees) } 0 .. $#{$trees[0][$i]}] } 0 .. $#{$trees[0]}] }

sub norm { my @g = map { @$_ } @{$_[0]}; # scaled by a power of two: no square over- or underflows
  my $top = max map { abs } @g; return 0 unless $top;
  my $s = 2 ** -int(log($top) / log(2)); return sqrt(sum0 map { ($s * $_) ** 2 } @g) / $s }

sub step { my ($v, $state, $w, $lr, $rho, $ask) = @_; my $h = $v->{hyperparameters};
  my $loss_decay = $h->{decay} eq 'in_loss' ? $h->{weight_decay} : 0;
  my $gradient = sub { my $p = shift; each_of(sub { $_[0] + $loss_decay * $_[1] }, $ask->($p), $p) };
  my $d = $gradient->($w);
  if ($h->{method} ne 'sgd') { my $i = 0;
    my $T = [map { my $in = $h->{method} eq 'asam' && ($h->{scope} eq 'all' || $v->{names}[$i] =~ /weight$/); $i++;
      [map { $in ? abs($_) + $h->{eta} : 1 } @$_] } @$w];
    my $n = norm(each_of(sub { $_[0] * $_[1] }, $T, $d));
    $d = $gradient->(each_of(sub { $_[0] + ($n ? $_[1] ** 2 * $_[2] * ($rho / $n) : 0) }, $w, $T, $d)) }
  $d = each_of(sub { $_[0] + $h->{weight_decay} * $_[1] }, $d, $w) if $h->{decay} eq 'coupled';
  my $u = $state->{v} = $state->{v} ? each_of(sub { $h->{momentum} * $_[0] + $_[1] }, $state->{v}, $d) : $d;
  $u = each_of(sub { $_[0] + $h->{momentum} * $_[1] }, $d, $u) if $h->{nesterov};
  my $keep = $h->{decay} eq 'decoupled' ? 1 - $lr * $h->{weight_decay} : 1;
  return each_of(sub { $keep * $_[0] - $lr * $_[1] }, $w, $u) }

my %have = map { $_ => 1 } qw(method:sgd method:sam method:asam momentum nesterov schedule scope:weights scope:all decay:coupled decay:decoupled decay:in_loss);
my %count = (pass => 0, fail => 0, skipped => 0);
for my $file (glob "$ARGV[0]/*.json") { open my $in, '<', $file or die; local $/; my $doc = decode_json(<$in>);
  for my $v (@{$doc->{vectors} // []}) {
    if (grep { !$have{$_} } @{$v->{requires}}) { $count{skipped}++; next }
    my ($w, $state, $ok) = ($v->{start}, {}, 1);
    for my $s (@{$v->{steps}}) { my @asked;
      $w = step($v, $state, $w, $s->{lr}, $s->{rho}, sub { push @asked, $_[0]; $s->{gradients}[$#asked] });
      my $differ = sum0 map { sum0 map { sum0 map { $_ != 0 } @$_ } @{each_of(sub { $_[0] - $_[1] }, @$_)} } [$w, $s->{end}], map { [$asked[$_], $s->{points}[$_]] } 0 .. $#asked;
      $ok &&= @asked == @{$s->{points}} && !$differ }
    $count{$ok ? 'pass' : 'fail'}++; print "$v->{slug} FAILS\n" unless $ok } }
print "$count{pass} pass, $count{fail} fail, $count{skipped} skipped\n"; exit($count{fail} || !$count{pass} ? 1 : 0);
