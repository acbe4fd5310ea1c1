"""Given names that are common in English-speaking countries: with a capitalised word behind them they count as NAME."""

FIRST_NAMES: tuple[str, ...] = (
    "Aaron", "Abigail", "Adam", "Ahmed", "Alan", "Albert", "Alejandro", "Alexander", "Alice", "Amanda", "Amy", "Ana",
    "Andrea", "Andrew", "Angela", "Anita", "Anna", "Anne", "Anthony", "Antonio", "Arthur", "Ashley", "Barbara",
    "Benjamin", "Betty", "Brandon", "Brenda", "Brian", "Bruce", "Carl", "Carlos", "Carol", "Caroline", "Catherine",
    "Charles", "Charlotte", "Chen", "Christian", "Christina", "Christine", "Christopher", "Claire", "Daniel", "David",
    "Deborah", "Dennis", "Diana", "Diane", "Donald", "Donna", "Dorothy", "Douglas", "Edward", "Elena", "Elizabeth",
    "Emily", "Emma", "Eric", "Eva", "Evelyn", "Fatima", "Frances", "Francisco", "Frank", "Gary", "George", "Gerald",
    "Gloria", "Gregory", "Hannah", "Harold", "Harry", "Heather", "Helen", "Henry", "Ibrahim", "Isabella", "Jack",
    "Jacob", "Jacqueline", "James", "Jane", "Janet", "Jason", "Jeffrey", "Jennifer", "Jeremy", "Jessica", "Joan", "Joe",
    "John", "Jonathan", "Jorge", "Jose", "Joseph", "Joshua", "Joyce", "Juan", "Judith", "Judy", "Julia", "Julie",
    "Justin", "Karen", "Katherine", "Kathleen", "Keith", "Kelly", "Kenneth", "Kevin", "Kimberly", "Larry", "Laura",
    "Lauren", "Lawrence", "Linda", "Lisa", "Louis", "Lucas", "Lucy", "Luis", "Margaret", "Maria", "Marie", "Marilyn",
    "Martha", "Martin", "Mary", "Matthew", "Megan", "Melissa", "Michael", "Michelle", "Miguel", "Mohammed", "Muhammad",
    "Nancy", "Natalie", "Nathan", "Nicholas", "Nicole", "Noah", "Olivia", "Omar", "Pamela", "Patricia", "Patrick",
    "Paul", "Pedro", "Peter", "Philip", "Priya", "Rachel", "Ralph", "Raymond", "Rebecca", "Richard", "Robert", "Roger",
    "Ronald", "Roy", "Russell", "Ruth", "Ryan", "Samantha", "Samuel", "Sandra", "Sara", "Sarah", "Scott", "Sean",
    "Sharon", "Shirley", "Sofia", "Sophia", "Stephanie", "Stephen", "Steven", "Susan", "Teresa", "Theresa", "Thomas",
    "Timothy", "Tyler", "Victoria", "Vincent", "Virginia", "Walter", "Wayne", "Wei", "William", "Zachary",
)  # fmt: skip
